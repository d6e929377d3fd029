/** The runtime on a Kafka: the embedded broker, or the cluster that KAFKA_BROKERS names. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { followTopic } from "@kelvin/test-kit";
import kafkajs from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bruteForceTable, type ClosingShape, readTable } from "../../test-support/closing-windows.ts";
import {
  type KeptLog,
  kafkaForTests,
  keptLog,
  type TestKafka,
  uniqueName,
  until,
} from "../../test-support/kafka.ts";
import { killed, type PipelineProcess, Processes } from "../../test-support/processes.ts";
import { readerOf } from "../../test-support/reader.ts";
import {
  bruteForce,
  type Reading,
  readingTopic,
  resultTopic,
  valuesOf,
} from "../../test-support/readings.ts";
import {
  agg,
  createPublisher,
  createStreamApp,
  deadLetterTopicName,
  ensureTopics,
  type KeyState,
  parseDeadLetter,
  resultHeaders,
  type StreamApp,
  type TopicLike,
} from "../index.ts";

const { Kafka, logLevel } = kafkajs;
const noLevel = { logLevel: logLevel.NOTHING };
let shared: TestKafka;
beforeAll(async () => {
  shared = await kafkaForTests();
});
afterAll(() => shared[Symbol.asyncDispose]());

/** Runs the app for as long as the test lasts. */
async function running(app: StreamApp): Promise<AsyncDisposable> {
  const run = app.run();
  run.catch(() => undefined);
  await until(`app ${app.name} to be ready`, () => app.health().ready);
  return {
    [Symbol.asyncDispose]: async () => {
      await app.stop();
      await run.catch(() => undefined);
    },
  };
}

/** Everything a topic has, as it comes. */
const reader = <T>(topic: TopicLike<T>, log = keptLog()) => readerOf(shared.kafka, topic, log);

/** The dead letters of a source, whatever their bytes are. */
function deadLettersOf(source: TopicLike<unknown>): TopicLike<Uint8Array | null> {
  return {
    name: deadLetterTopicName(source.name),
    partitions: source.partitions,
    configEntries: {},
    decode: (bytes) => ({ ok: true, value: bytes }),
    encode: (bytes) => bytes ?? new Uint8Array(),
    key: () => "",
    eventTimeMs: (_value, timestampMs) => timestampMs,
  };
}

async function publishAll(topic: TopicLike<Reading>, readings: readonly Reading[]): Promise<void> {
  const publisher = await createPublisher({ kafka: shared.kafka, topic, log: keptLog() });
  await Promise.all(readings.map((reading) => publisher.send(reading)));
  await publisher.close();
}

describe("a pipeline", () => {
  test("transforms, filters, tells and writes, in order of each key, with event time as Kafka's timestamp", async () => {
    const from = readingTopic(uniqueName("in"));
    const to = readingTopic(uniqueName("out"));
    const app = createStreamApp({
      name: uniqueName("app"),
      kafka: shared.kafka,
      log: keptLog(),
      startFrom: "earliest",
    });
    const updates: number[] = [];
    app
      .dataframe(from)
      .apply(async (reading) => ({ ...reading, x: reading.x * 2 }))
      .filter(({ x }) => x >= 4)
      .update(({ x }) => void updates.push(x))
      .toTopic(to);
    await using _running = await running(app);
    const sent = [1, 2, 3, 4, 5].map((x) => ({ key: "a", atMs: 1_700_000_000_000 + x, x }));
    await publishAll(from, sent);
    await using out = await reader(to);
    await until("4 records", () => out.records.length === 4);
    expect(out.records.map(({ value }) => value.x)).toEqual([4, 6, 8, 10]);
    expect(out.records.map(({ recordTimestampMs }) => recordTimestampMs)).toEqual(
      sent.slice(1).map(({ atMs }) => atMs),
    );
    expect(updates).toEqual([4, 6, 8, 10]);
  });

  test("sends records that it can't process to the dead-letter topic, bytes untouched, and continues", async () => {
    const from = readingTopic(uniqueName("in"), 1);
    const to = readingTopic(uniqueName("out"));
    const log = keptLog();
    const name = uniqueName("app");
    const app = createStreamApp({
      name,
      kafka: shared.kafka,
      log,
      startFrom: "earliest",
      attempts: 2,
      backoffMs: 1,
    });
    const tries = new Map<number, number>();
    app
      .dataframe(from)
      .apply((reading) => {
        tries.set(reading.x, (tries.get(reading.x) ?? 0) + 1);
        // One error that ends a kafkajs consumer, and one that it retries for ever.
        if (reading.x === 1) throw new TypeError("undefined is not a function");
        if (reading.x === 2) return Promise.reject(new Error("out of order"));
        return reading;
      })
      .toTopic(to);
    await using _running = await running(app);
    await using out = await reader(to);
    await using letters = await reader(deadLettersOf(from));
    const kafka = new Kafka({ brokers: [...shared.kafka.brokers], ...noLevel });
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    const good = (x: number) => ({
      key: "a",
      value: JSON.stringify({ key: "a", atMs: 1_700_000_000_000, x }),
    });
    const garbage = Buffer.alloc(900_000, 0xff);
    await producer.send({
      topic: from.name,
      messages: [
        good(1),
        { key: "k", value: "not JSON", headers: { trace: "abc" }, timestamp: "1700000000123" },
        good(2),
        { key: null, value: null },
        good(3),
      ],
    });
    await producer.send({ topic: from.name, messages: [{ key: "big", value: garbage }, good(4)] });
    await producer.disconnect();
    await until("the good records", () => out.records.length === 2);
    await until("the bad ones", () => letters.records.length === 5);
    expect(out.records.map(({ value }) => value.x)).toEqual([3, 4]);
    expect(tries.get(1)).toBe(2);
    const told = letters.records.map((record) => ({ letter: parseDeadLetter(record.headers), record }));
    told.sort((left, right) => (left.letter?.source.offset ?? 0) - (right.letter?.source.offset ?? 0));
    expect(told.map(({ letter }) => [letter?.source.offset, letter?.code])).toEqual([
      [0, "failed"],
      [1, "undecodable"],
      [2, "failed"],
      [3, "undecodable"],
      [5, "undecodable"],
    ]);
    expect(told[0]?.letter).toMatchObject({
      pipeline: name,
      reason: "TypeError: undefined is not a function",
    });
    expect(told[2]?.letter?.reason).toBe("Error: out of order");
    expect(told[1]?.letter?.timestampMs).toBe(1_700_000_000_123);
    expect(String(told[1]?.record.headers["trace"])).toBe("abc");
    expect(Buffer.from(told[1]?.record.value ?? []).toString()).toBe("not JSON");
    expect(garbage.equals(told[4]?.record.value ?? new Uint8Array())).toBe(true);
    await using raw = await followTopic(shared.kafka.brokers, deadLetterTopicName(from.name));
    const keys = (await raw.toEnd()).map(({ key }) => key);
    expect(keys.toSorted()).toEqual(["a", "a", "big", "k", null]);
  });

  test("ends with an error when a function does not return, and health reports it", async () => {
    const from = readingTopic(uniqueName("in"));
    const app = createStreamApp({
      name: uniqueName("app"),
      kafka: shared.kafka,
      log: keptLog(),
      startFrom: "earliest",
      backoffMs: 50,
      stallAfterMs: 300,
    });
    app.dataframe(from).update(() => new Promise<void>(() => undefined));
    const run = app.run();
    const ended = expect(run).rejects.toMatchObject({ code: "STREAMS_STALLED" });
    await publishAll(from, [{ key: "a", atMs: 1, x: 1 }]);
    await ended;
    expect(app.health()).toMatchObject({ ready: false, live: false });
  });

  test("continues where it stopped, and processes nothing twice after a graceful shutdown", async () => {
    const from = readingTopic(uniqueName("in"));
    const to = readingTopic(uniqueName("out"));
    const name = uniqueName("app");
    const build = () => {
      const app = createStreamApp({ name, kafka: shared.kafka, log: keptLog(), startFrom: "earliest" });
      app.dataframe(from).toTopic(to);
      return app;
    };
    await using out = await reader(to);
    for (let round = 0; round < 3; round++) {
      const life = await running(build());
      await publishAll(
        from,
        [0, 1, 2, 3].map((x) => ({ key: `k${x}`, atMs: 1_000, x: round * 4 + x })),
      );
      await until("the round's records", () => out.records.length >= (round + 1) * 4);
      const startedMs = performance.now();
      await life[Symbol.asyncDispose]();
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    }
    expect(out.records.map(({ value }) => value.x).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, i) => i),
    );
  });

  test("records deleted before they were processed: logged as an error, and the policy decides", async () => {
    const from = readingTopic(uniqueName("in"), 1);
    const to = readingTopic(uniqueName("out"), 1);
    const name = uniqueName("app");
    const build = (log: KeptLog, onRecordsGone: "earliest" | "fail") => {
      const app = createStreamApp({ name, kafka: shared.kafka, log, onRecordsGone });
      app.dataframe(from).toTopic(to);
      return app;
    };
    await (await running(build(keptLog(), "earliest")))[Symbol.asyncDispose]();
    await publishAll(
      from,
      [0, 1, 2, 3, 4, 5].map((x) => ({ key: "a", atMs: 1_700_000_000_000, x })),
    );
    const admin = new Kafka({ brokers: [...shared.kafka.brokers], ...noLevel }).admin();
    await admin.connect();
    // kafkajs needs to have heard of the topic.
    await admin.fetchTopicOffsets(from.name);
    await admin.deleteTopicRecords({ topic: from.name, partitions: [{ partition: 0, offset: "4" }] });
    await admin.disconnect();

    const failing = build(keptLog(), "fail");
    await expect(failing.run()).rejects.toMatchObject({
      code: "STREAMS_OFFSET_OUT_OF_RANGE",
      at: { topic: from.name, partition: 0, offset: 0 },
      message: expect.stringMatching(
        /deleted before they were processed.*committed offset 0, oldest record 4.*onRecordsGone/,
      ),
    });
    expect(failing.health()).toMatchObject({ ready: false, live: false });
    const log = keptLog();
    await using _running = await running(build(log, "earliest"));
    await using out = await reader(to);
    await until("the records that are left", () => out.records.length === 2);
    expect(out.records.map(({ value }) => value.x)).toEqual([4, 5]);
    const told = log.lines.find(({ level }) => level === "error");
    expect(told?.message).toContain("records were deleted before they were processed");
    expect(told?.fields).toMatchObject({
      topic: from.name,
      partition: 0,
      committed: 0,
      low: 4,
      startingAt: 4,
    });
  });

  test("partitions added to its topic while it runs are read, and have a changelog", async () => {
    const from = readingTopic(uniqueName("in"), 1);
    const to = readingTopic(uniqueName("out"), 1);
    const log = keptLog();
    const name = uniqueName("app");
    const app = createStreamApp({ name, kafka: shared.kafka, log, startFrom: "earliest" });
    const count = (reading: Reading, state: KeyState<number>) => {
      state.set((state.get() ?? 0) + 1);
      return { ...reading, x: state.get() ?? 0 };
    };
    app.dataframe(from).applyStateful(count, { store: "counts" }).toTopic(to);
    await using _running = await running(app);
    await using out = await reader(to);
    const client = new Kafka({ brokers: [...shared.kafka.brokers], ...noLevel });
    const [admin, producer] = [client.admin(), client.producer()];
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createPartitions({ topicPartitions: [{ topic: from.name, count: 3 }] });
    const message = {
      partition: 2,
      key: "a",
      value: JSON.stringify({ key: "a", atMs: 1_700_000_000_000, x: 0 }),
    };
    // The producer has to hear of the partition, too.
    const isSent = () => producer.send({ topic: from.name, messages: [message, message] }).then(() => true);
    await until("the new partition", () => isSent().catch(() => false));
    await until("its records", () => out.records.length === 2);
    expect(out.records.map(({ value }) => value.x)).toEqual([1, 2]);
    await until("the commit", async () => {
      const ends = await admin.fetchTopicOffsets(`${name}-counts-changelog`);
      return ends.length === 3 && ends.some(({ partition, high }) => partition === 2 && Number(high) > 0);
    });
    expect(log.has("the changelog was extended to match")).toBe(true);
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });

  test("a topic deleted while it runs is recreated, and processing continues", async () => {
    const from = readingTopic(uniqueName("in"));
    const to = readingTopic(uniqueName("out"));
    const app = createStreamApp({ name: uniqueName("app"), kafka: shared.kafka, log: keptLog() });
    app.dataframe(from).toTopic(to);
    await using _running = await running(app);
    await using out = await reader(to);
    const publisher = await createPublisher({ kafka: shared.kafka, topic: from, log: keptLog() });
    await publisher.send({ key: "a", atMs: 1_000, x: 1 });
    await until("the first record", () => out.records.length === 1);

    const admin = new Kafka({ brokers: [...shared.kafka.brokers], ...noLevel }).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [from.name, to.name] });
    for (let x = 2; x < 30; x++) {
      await publisher.send({ key: "a", atMs: 1_000 + x, x });
      await sleep(100);
    }
    await until("the last record", () => out.records.some(({ value }) => value.x === 29));
    // The records behind the first that came again are all there, in order.
    const after = out.records.map(({ value }) => value.x).filter((x) => x > 1);
    const first = after[0] ?? 29;
    expect(after).toEqual(Array.from({ length: 30 - first }, (_, i) => first + i));
    const [definition] = (await admin.fetchTopicMetadata({ topics: [from.name] })).topics;
    expect(definition?.partitions).toHaveLength(from.partitions);
    await admin.disconnect();
    await publisher.close();
  });
});

describe("a windowed pipeline", () => {
  let processes: Processes;
  beforeAll(() => {
    processes = new Processes(shared.kafka.brokers);
  });
  afterAll(() => processes[Symbol.dispose]());

  /** Readings of 3 keys, ten a second of event time, a little out of order. */
  function stream(count: number, seed: number): Reading[] {
    const startMs = 1_700_000_000_000;
    return Array.from({ length: count }, (_, i) => ({
      key: `k${(i * 7 + seed) % 3}`,
      atMs: startMs + i * 100 + ((i * 7_919) % 5) * 90,
      x: (i * 31) % 17,
    }));
  }

  /** As the app has them. */
  const sessions: ClosingShape = {
    kind: "session",
    gapMs: 400,
    tells: "current",
    graceMs: 0,
    idleAfterMs: 0,
    maxFutureMs: 0,
  };

  /** The results as they should be once event time has gone on far enough to make all of them due. */
  function expected(readings: readonly Reading[]): Record<string, { count: number; sum: number }> {
    const shape = { sizeMs: 5_000, everyMs: 1_000, idleAfterMs: 0, allowedLatenessMs: 0, maxFutureMs: 0 };
    return bruteForce(readings, shape, Math.max(...readings.map(({ atMs }) => atMs)) + 10_000);
  }

  test.each(["trailing", "session"] as const)(
    "killed in mid-window and started again: the table equals brute force; exactly once, nothing is told twice (%s)",
    async (kind) => {
      const from = readingTopic(uniqueName("in"), 2);
      const apps = (["at-least-once", "exactly-once"] as const).map((guarantee) => {
        const to = uniqueName("out");
        return { name: uniqueName("app"), from: from.name, to, kind, guarantee };
      });
      const [least, exactly] = apps.map(({ to }) => resultTopic(to, 2));
      if (least === undefined || exactly === undefined) return;
      await ensureTopics({ kafka: shared.kafka, topics: [from, least, exactly], log: keptLog() });
      await using atLeastOnce = await reader(least);
      await using exactlyOnce = await reader(exactly);
      const outs = [atLeastOnce, exactlyOnce];
      const readings = stream(600, 1);
      const publisher = await createPublisher({ kafka: shared.kafka, topic: from, log: keptLog() });
      for (let part = 0; part < 3; part++) {
        const children = await Promise.all(apps.map((app) => processes.start(app)));
        const before = outs.map(({ records }) => records.length);
        for (const [i, reading] of readings.slice(part * 200, (part + 1) * 200).entries()) {
          await publisher.send(reading);
          if (i % 20 === 0) await sleep(20);
        }
        // They waited for the group to give up the one that was killed: longer than a broker may be silent, and no outage.
        for (const child of part > 0 ? children : []) {
          expect(toldIn(await lookInto(child))).not.toContain("Kafka is unreachable; waiting for it");
        }
        if (part === 2) break;
        await until("some results of these lives", () =>
          outs.every(({ records }, i) => records.length > (before[i] ?? 0)),
        );
        await Promise.all(children.map(killed));
      }
      await publisher.close();
      const want = kind === "session" ? bruteForceTable(readings, sessions) : expected(readings);
      for (const { records } of outs) {
        const told = () => records.map(({ value }) => value);
        const table = () => (kind === "session" ? readTable(told()) : valuesOf(told()));
        const isSame = () => JSON.stringify(table()) === JSON.stringify(want);
        await until("the same table", isSame, 30_000).catch(() => undefined);
        expect(table()).toEqual(want);
      }
      const tellings = exactlyOnce.records.map(({ headers }) =>
        [resultHeaders.id, resultHeaders.revision].map((name) => String(headers[name])).join(" "),
      );
      expect(tellings.filter((telling, i) => tellings.indexOf(telling) !== i)).toEqual([]);
    },
    120_000,
  );

  test.each(["at-least-once", "exactly-once"] as const)(
    "P9: partitions that move in mid-window change nothing (%s)",
    async (guarantee) => {
      const from = readingTopic(uniqueName("in"), 4);
      const to = resultTopic(uniqueName("out"), 4);
      await ensureTopics({ kafka: shared.kafka, topics: [from, to], log: keptLog() });
      const name = uniqueName("app");
      await using out = await reader(to);
      const readings = stream(600, 2);
      const publisher = await createPublisher({ kafka: shared.kafka, topic: from, log: keptLog() });
      const publish = async (part: number) => {
        for (const reading of readings.slice(part * 150, (part + 1) * 150)) await publisher.send(reading);
      };
      const app: PipelineProcess = {
        name,
        from: from.name,
        to: to.name,
        kind: "trailing",
        guarantee,
      };
      const first = await processes.start(app);
      await publish(0);
      const joining = processes.start(app);
      await publish(1);
      const second = await joining;
      await publish(2);
      const left = once(first, "exit");
      first.send("stop");
      await publish(3);
      await left;
      await publisher.close();
      const want = expected(readings);
      await until(
        "the same table",
        () => JSON.stringify(valuesOf(out.records.map(({ value }) => value))) === JSON.stringify(want),
        30_000,
      ).catch(() => undefined);
      expect(valuesOf(out.records.map(({ value }) => value))).toEqual(want);
      second.kill("SIGKILL");
    },
    120_000,
  );

  test("a record outside its key's partition is logged: its windows would be split", async () => {
    const from = readingTopic(uniqueName("in"), 2);
    const log = keptLog();
    const app = createStreamApp({ name: uniqueName("app"), kafka: shared.kafka, log, startFrom: "earliest" });
    app.dataframe(from).trailingWindow("5s", { every: "1s" }).aggregate({ count: agg.count() }).print();
    await using _running = await running(app);
    await publishAll(
      from,
      [1, 2, 3].map((x) => ({ key: `k${x}`, atMs: Date.now(), x })),
    );
    const producer = new Kafka({ brokers: [...shared.kafka.brokers], ...noLevel }).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const value = JSON.stringify({ key: "k1", atMs: Date.now(), x: 9 });
    await producer.send({ topic: from.name, messages: [0, 1].map((partition) => ({ partition, value })) });
    await producer.disconnect();
    const told = () => log.lines.filter(({ message }) => message.includes("not in its key's partition"));
    await until("the line", () => told().length > 0);
    expect(told()).toHaveLength(1);
    expect(told()[0]?.fields).toMatchObject({ topic: from.name, key: "k1" });
  });

  test("a silent app hardly uses the processor", async () => {
    const from = uniqueName("in");
    const [name, to] = [uniqueName("app"), uniqueName("out")];
    const child = await processes.start({ name, from, to, kind: "trailing", guarantee: "at-least-once" });
    await sleep(1_000);
    const before = await lookInto(child);
    await sleep(3_000);
    const after = await lookInto(child);
    // With the timer that kafkajs sets on Node 22 and newer it is 100 ms and more, and Node warns.
    expect(cpuMs(after) - cpuMs(before)).toBeLessThan(75);
    expect(after).toMatchObject({ warnings: [] });
    child.kill("SIGKILL");
  });
});

async function lookInto(child: ChildProcess): Promise<unknown> {
  child.send("look");
  const [message]: unknown[] = await once(child, "message");
  return message;
}

function toldIn(message: unknown): unknown {
  return typeof message === "object" && message !== null && "told" in message ? message.told : undefined;
}

function cpuMs(message: unknown): number {
  return typeof message === "object" && message !== null && "cpuMs" in message
    ? Number(message.cpuMs)
    : Number.NaN;
}
