/**
 * What Node runs each of our services with, wherever it is started: half of V8's young generation in MB. By itself V8 lets it
 * grow to 64 for a process that allocates much, which keeps that memory and is no faster for it.
 *
 * A dashboard has more than the others: what waits for a thousand pages must die young, else it fills the old generation.
 */
export const SERVICE_NODE_OPTIONS = {
  producer: ["--max-semi-space-size=4"],
  "stream-processor": ["--max-semi-space-size=4"],
  dashboard: ["--max-semi-space-size=16"],
} as const;
