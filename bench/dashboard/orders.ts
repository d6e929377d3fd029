/** What the bench tells the process of its viewers to do, and what that answers. */
import * as z from "zod";

export const Order = z.discriminatedUnion("do", [
  /** As many viewers as this: more are let in, none is sent away. */
  z.object({ do: z.literal("open"), count: z.number() }),
  /** The first of them read nothing any more. */
  z.object({ do: z.literal("stall"), count: z.number() }),
  /** Those read again for a moment, and go. */
  z.object({ do: z.literal("wake") }),
  /** What came in is counted from here on. */
  z.object({ do: z.literal("count") }),
  z.object({ do: z.literal("tell") }),
  z.object({ do: z.literal("close") }),
]);
export type Order = z.infer<typeof Order>;

export const Counted = z.object({
  viewers: z.number(),
  frames: z.number(),
  batches: z.number(),
  batchBytes: z.number(),
  /** To each viewer, by the server's clock: how late they were read does not count. */
  batchesPerSecond: z.number(),
  readings: z.number(),
  lost: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  /** The process's own: where it is near 1, the latencies are its own, not the server's. */
  cpuSeconds: z.number(),
  /** The most that had been kept for one of those that were woken. */
  keptMb: z.number(),
});
export type Counted = z.infer<typeof Counted>;
