import { expect, test } from "vitest";
import { keptLog, until } from "../../test-support/kafka.ts";
import { Bench, readings, recordOf } from "../../test-support/readings.ts";
import { agg, createStreamApp } from "../index.ts";
import { machineClock } from "../io/machine-clock.ts";
import { Task } from "./task.ts";

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
  const task = new Task({
    ...{
      topic: "readings",
      partitionId: 0,
      partition,
      owner: "me",
      startPosition: 0,
      blocks: 0,
      highWatermark: 0,
    },
    clock: machineClock,
    outlet: { emit: () => undefined, room: () => undefined },
    onQueue: () => undefined,
    onFailure: () => undefined,
  });
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
