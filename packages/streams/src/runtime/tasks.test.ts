import { expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { Bench, trailingSource } from "../../test-support/readings.ts";
import { machineClock } from "../io/machine-clock.ts";
import { Numbers } from "./numbers.ts";
import { Tasks } from "./tasks.ts";

test("a note of another version is told, not silently passed over; none at all is nothing to tell", () => {
  const shape = { sizeMs: 2, everyMs: 1, idleAfterMs: 1, allowedLatenessMs: 1, maxFutureMs: 1 };
  const source = trailingSource(shape);
  const log = keptLog();
  const tasks = new Tasks({
    sources: new Map([[source.topic.name, source]]),
    log,
    clock: machineClock,
    numbers: new Numbers(undefined, "app"),
    startFrom: "latest",
    onRecordsGone: "earliest",
    ports: new Bench(source).ports(),
    outletOf: () => ({ emit: () => undefined, room: () => undefined }),
    onQueue: () => undefined,
    onFailure: () => undefined,
  });
  const offsets = { low: 0, high: 9, committed: 5 };
  const at = (partition: number) => ({ topic: source.topic.name, partition });
  expect(tasks.prepare(at(0), { ...offsets, metadata: "" }, 2)).toBe(5);
  expect(log.lines).toEqual([]);
  expect(tasks.prepare(at(1), { ...offsets, metadata: '{"v":1}' }, 2)).toBe(5);
  expect(log.lines).toMatchObject([
    {
      level: "warn",
      message: expect.stringContaining("none that this version can read"),
      fields: { partition: 1, position: 5, metadata: '{"v":1}' },
    },
  ]);
});
