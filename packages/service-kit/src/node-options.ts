/**
 * What Node runs our services with, wherever they are started: half of V8's young generation is 4 MB. By itself V8 lets it
 * grow to 64 MB for a server that is busy, which keeps that memory and is no faster for it.
 */
export const SERVICE_NODE_OPTIONS: readonly string[] = ["--max-semi-space-size=4"];
