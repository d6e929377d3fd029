/** How long a program takes for all of the input. */
import { setTimeout as wait } from "node:timers/promises";
import { waitFor } from "@kelvin/test-kit";
import type { Admin } from "kafkajs";
import { type Contestant, start } from "./programs.ts";
import type { Input } from "./readings.ts";

export interface Throughput {
  /** Input records a second, from process start to the last output. */
  readonly perSecond: number;
  /** The same from the first output to the last. */
  readonly perSecondWarm: number;
  readonly cpuUs: number;
  readonly residentMib: number;
}

/** Each look costs the broker a request; a run takes seconds. */
const LOOK_EVERY_MS = 50;
const TIMEOUT_MS = 180_000;

export async function throughputOf(
  contestant: Contestant,
  admin: Admin,
  broker: string,
  topic: string,
  input: Input,
  processes: number,
): Promise<Throughput> {
  const expected = contestant.workload === "W1" ? input.alerts : input.windows;
  let beganMs = 0;
  let firstMs = 0;
  await using running = await start(contestant, admin, broker, topic, {
    started: () => {
      beganMs = performance.now();
    },
    processes,
  });
  const look = async () => {
    await wait(LOOK_EVERY_MS);
    const offsets = await admin.fetchTopicOffsets(running.output);
    const count = offsets.reduce((sum, { high }) => sum + Number(high), 0);
    if (count > 0 && firstMs === 0) firstMs = performance.now();
    return count >= expected;
  };
  await waitFor(`${expected} outputs of ${contestant.name}`, look, { timeoutMs: TIMEOUT_MS });
  const endMs = performance.now();
  const { cpuMs, residentMib } = await running.cost();
  const count = input.readings.length;
  return {
    perSecond: (1_000 * count) / (endMs - beganMs),
    perSecondWarm: (1_000 * count) / (endMs - firstMs),
    cpuUs: (1_000 * cpuMs) / count,
    residentMib,
  };
}
