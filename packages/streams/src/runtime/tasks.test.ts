import { expect, test } from "vitest";
import { keptLog, until } from "../../test-support/kafka.ts";
import { Bench, readings, readingTopic, recordOf, trailingSource } from "../../test-support/readings.ts";
import { createStreamApp, type Metrics } from "../index.ts";
import { machineClock } from "../io/machine-clock.ts";
import type { SourceNode } from "../topology/nodes.ts";
import { Numbers } from "./numbers.ts";
import { Tasks } from "./tasks.ts";

function tasksOf(source: SourceNode, bench: Bench, metrics?: Metrics) {
  const log = keptLog();
  const tasks = new Tasks({
    sources: new Map([[source.topic.name, source]]),
    log,
    clock: machineClock,
    numbers: new Numbers(metrics, "app"),
    startFrom: "latest",
    onRecordsGone: "earliest",
    ports: bench.ports(),
    widthOf: () => 2,
    outletOf: () => ({ emit: () => undefined, room: () => undefined }),
    onQueue: () => undefined,
    onFailure: () => undefined,
  });
  return { tasks, log };
}

const topic = readings.name;

test("metadata of another version is logged, not silently ignored; no metadata at all is not logged", () => {
  const shape = { sizeMs: 2, everyMs: 1, idleAfterMs: 1, allowedLatenessMs: 1, maxFutureMs: 1 };
  const source = trailingSource(shape);
  const { tasks, log } = tasksOf(source, new Bench(source));
  const offsets = { low: 0, high: 9, committed: 5 };
  const prepare = (partition: number, metadata: string) =>
    tasks.prepare(
      [{ topic, partition }],
      () => ({ ...offsets, metadata }),
      () => 2,
    );
  expect(prepare(0, "")).toEqual([{ topic, partition: 0, offset: 5 }]);
  expect(log.lines).toEqual([]);
  expect(prepare(1, '{"v":1}')).toEqual([{ topic, partition: 1, offset: 5 }]);
  expect(log.lines).toMatchObject([
    {
      level: "warn",
      message: expect.stringContaining("can't be read by this version"),
      fields: { partition: 1, position: 5, metadata: '{"v":1}' },
    },
  ]);
});

test("a recreated topic is logged in one line for all of its partitions", () => {
  const shape = { sizeMs: 2, everyMs: 1, idleAfterMs: 1, allowedLatenessMs: 1, maxFutureMs: 1 };
  const source = trailingSource(shape);
  const { tasks, log } = tasksOf(source, new Bench(source));
  const partitions = [2, 0, 1].map((partition) => ({ topic, partition }));
  // Kafka holds positions behind the ends: another topic of the same name.
  const offsetsOf = ({ partition }: { partition: number }) => ({
    low: 0,
    high: partition,
    committed: 50 + partition,
    metadata: null,
  });
  const starts = tasks.prepare(partitions, offsetsOf, () => 3);
  expect(starts).toEqual(partitions.map((each) => ({ ...each, offset: 0 })));
  expect(log.lines).toMatchObject([
    {
      level: "warn",
      message: expect.stringContaining("the topic was recreated"),
      fields: { topic, partitions: [0, 1, 2], committed: [50, 51, 52], low: [0, 0, 0], high: [0, 1, 2] },
    },
  ]);
});

test("a recreated topic is read from its beginning, even if its first session ends before anything is committed", () => {
  const shape = { sizeMs: 2, everyMs: 1, idleAfterMs: 1, allowedLatenessMs: 1, maxFutureMs: 1 };
  const source = trailingSource(shape);
  const { tasks } = tasksOf(source, new Bench(source));
  const at = { topic, partition: 0 };
  const start = (high: number) =>
    tasks.prepare(
      [at],
      () => ({ low: 0, high, committed: -1, metadata: null }),
      () => 1,
    );
  // A group that is new, and begins at the end.
  expect(start(7)).toEqual([{ ...at, offset: 7 }]);
  for (const { noted } of tasks.takeOver()) noted();
  // The broker has come back empty, and with it the group; others have written since.
  expect(start(3)).toEqual([{ ...at, offset: 0 }]);
  expect(start(3)).toEqual([{ ...at, offset: 0 }]);
  expect(start(5)).toEqual([{ ...at, offset: 0 }]);
});

/** The gauges as they stand, by name and partition. */
function keptGauges() {
  const gauges = new Map<string, number>();
  const metrics: Metrics = {
    count: () => undefined,
    gauge: (name, _help, value, labels = {}) => void gauges.set(`${name} ${labels["partition"]}`, value),
    forget: (name, labels) => void gauges.delete(`${name} ${labels["partition"]}`),
  };
  return { gauges, metrics };
}

/** Questions that are answered one by one. */
function answerer() {
  const open: (() => void)[] = [];
  return {
    ask: () => new Promise<void>((resolve) => open.push(resolve)),
    asked: () => until("a question", () => open.length > 0),
    answer: () => open.shift()?.(),
  };
}

test("a partition's lag in event time is the age of the oldest record that waits; of one that is lost nothing is told", async () => {
  const outside = answerer();
  const app = createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
  app.dataframe(readings).update(outside.ask).toTopic(readingTopic("out"));
  const [source] = app.topology.sources;
  if (source === undefined) throw new RangeError("The app reads no topic.");
  const bench = new Bench(source);
  const { gauges, metrics } = keptGauges();
  const { tasks } = tasksOf(source, bench, metrics);
  const lag = (partition = 0) => {
    tasks.measure();
    return gauges.get(`kelvin_event_time_lag_seconds ${partition}`);
  };
  tasks.prepare(
    [0, 1].map((partition) => ({ topic, partition })),
    () => ({ low: 0, high: 0, committed: -1, metadata: null }),
    () => 2,
  );
  bench.wallMs = 100_000;
  expect(lag()).toBe(0);

  // Two of three that Kafka has are here.
  const records = [91_000, 95_000, 200_000].map((atMs, i) => recordOf({ key: "a", atMs, x: i }, i));
  tasks.take({ topic, partition: 0, records: records.slice(0, 2), nextOffset: 2, highWatermark: 3 });
  expect(lag()).toBe(9); // the first waits,
  await outside.asked();
  expect(lag()).toBe(9); // and is being processed
  outside.answer();
  await outside.asked();
  expect(lag()).toBe(5);
  outside.answer();
  await until("the second to be done", () => lag() === 5 && gauges.get("kelvin_lag_records 0") === 1);
  expect(lag()).toBe(5); // of the third it is known that it came after the second
  tasks.take({ topic, partition: 0, records: records.slice(2), nextOffset: 3, highWatermark: 3 });
  expect(lag()).toBe(0); // a clock that is ahead
  await outside.asked();
  outside.answer();
  bench.wallMs = 900_000;
  await until("silence, which is no lag", () => lag() === 0);

  expect([...gauges.keys()].filter((name) => name.endsWith(" 0"))).toContain("kelvin_lag_records 0");
  tasks.keepOnly([{ topic, partition: 1 }]);
  tasks.measure();
  expect([...gauges.keys()].filter((name) => name.endsWith(" 0"))).toEqual([]);
  expect(lag(1)).toBe(0);
});
