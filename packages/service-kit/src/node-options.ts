/**
 * What Node runs each of our services with, wherever it is started. `max-semi-space-size` is half of V8's young generation in
 * MB: by itself V8 lets it grow to 64 for a process that allocates much, which keeps that memory and is no faster for it.
 * `heap-growing-percent` is how far the old generation may grow beyond what was alive at the last collection: by itself V8
 * lets a busy one of 25 MB grow to 110. A dashboard's is allowed less, as it has more alive: the readings of its charts.
 */
export const SERVICE_NODE_OPTIONS = {
  producer: ["--max-semi-space-size=4"],
  "stream-processor": ["--max-semi-space-size=8", "--heap-growing-percent=125"],
  dashboard: ["--max-semi-space-size=8", "--heap-growing-percent=50"],
} as const;
