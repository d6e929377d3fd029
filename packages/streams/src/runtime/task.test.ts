import * as fc from "fast-check";
import { expect, test } from "vitest";
import { keptLog, until } from "../../test-support/kafka.ts";
import { Bench, readings, recordOf, trailingSource } from "../../test-support/readings.ts";
import { agg, createStreamApp } from "../index.ts";
import { machineClock } from "../io/machine-clock.ts";
import type { Partition } from "./partition.ts";
import { Task } from "./task.ts";

function taskOf(partition: Partition): Task {
  return new Task({
    topic: "readings",
    partitionId: 0,
    partition,
    owner: "me",
    startPosition: 0,
    blocks: 0,
    highWatermark: 0,
    clock: machineClock,
    outlet: { emit: () => undefined, room: () => undefined },
    onQueue: () => undefined,
    onFailure: () => undefined,
  });
}

test("what is committed is taken when all results are on their way, not while one is waited for", async () => {
  const released: (() => void)[] = [];
  const app = createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
  app
    .dataframe(readings)
    .tumblingWindow("10ms", { grace: "0s", maxFuture: "1000h" })
    .aggregate({ count: agg.count() })
    .final()
    .apply(() => new Promise<void>((resolve) => released.push(resolve)));
  const [source] = app.topology.sources;
  if (source === undefined) throw new RangeError("The app reads no topic.");
  const { partition } = new Bench(source);
  const task = taskOf(partition);
  const [first, second] = [5, 25].map((atMs, offset) => recordOf({ key: "a", atMs, x: 1 }, offset));
  if (first === undefined || second === undefined) throw new RangeError("There are two.");
  task.enqueue([first, second], 2, 2);
  await until("the first window to be told", () => released.length === 1);
  let isTaken = false;
  const taken = task
    .cut(() => partition.takeNews())
    .finally(() => {
      isTaken = true;
    });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isTaken).toBe(false);
  for (const release of released) release();
  const { note, changes } = await taken;
  expect(note.position).toBe(2);
  expect([...note.checkpoint.windows.values()]).toEqual([{ clockMs: 25, toldMs: 25 }]);
  expect(changes).toHaveLength(1);
});

test("P8: in what batches records come, and whether some come again, does not matter", async () => {
  const second = { sizeMs: 30, everyMs: 10, idleAfterMs: 5, allowedLatenessMs: 20, maxFutureMs: 1_000_000 };
  const reading = fc.record({ key: fc.constantFrom("a", "b"), atMs: fc.nat(300), x: fc.nat(9) });
  const batches = fc.array(fc.record({ count: fc.integer({ min: 0, max: 5 }), again: fc.nat(3) }), {
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(reading, { minLength: 1, maxLength: 30 }), batches, async (list, sizes) => {
      const records = list.map(recordOf);
      const alone = new Bench(trailingSource(second));
      for (const record of records) await alone.partition.process(record);

      const batched = new Bench(trailingSource(second));
      const task = taskOf(batched.partition);
      for (let [from, i] = [0, 0]; from < records.length; i++) {
        const { count = 1, again = 0 } = sizes[i % sizes.length] ?? {};
        // A list of empty batches alone would have no end.
        const to = Math.min(records.length, from + Math.max(count, i % sizes.length === 0 ? 1 : 0));
        task.enqueue(records.slice(Math.max(0, from - again), to), to, records.length);
        if (count % 2 === 0) await task.ended;
        from = to;
      }
      while (!task.isIdle) await task.ended;
      expect(batched.told).toEqual(alone.told);
      expect(batched.deadLetters).toEqual(alone.deadLetters);
      expect(batched.partition.position).toBe(records.length);
    }),
    { numRuns: 200 },
  );
});
