/** Unmodified clients while leaders and coordinators move and brokers stop and start: nothing is lost. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { Kafka, logLevel } from "kafkajs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Broker, startBroker } from "../index.ts";
import { eventually } from "../testing/cluster-under-test.ts";

/** True where kcat is not on PATH and may be done without: with CI=true the tests run, and so fail. */
const isMissing = spawnSync("kcat", ["-V"]).error !== undefined && process.env["CI"] !== "true";

const PARTITIONS = 3;
const IDS = [1, 2, 3];
const RECORDS = 150;
/** Times 50 ms: clients take their time to find who moved, and the machine may be busy. */
const TRIES = 400;

let broker: Broker;
let kafka: Kafka;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  broker = await startBroker({
    brokers: 3,
    numPartitions: PARTITIONS,
    configs: { "group.min.session.timeout.ms": "500" },
  });
  kafka = new Kafka({
    clientId: "test",
    brokers: broker.brokers,
    logLevel: logLevel.NOTHING,
    requestTimeout: 2000,
    connectionTimeout: 1000,
    retry: { initialRetryTime: 20, maxRetryTime: 200, retries: 20 },
  });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "t", numPartitions: PARTITIONS, replicationFactor: 3 }] });
  await admin.disconnect();
});

afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
  await broker.stop();
});

const values = Array.from({ length: RECORDS }, (_, index) => `v${index}`);
const inLog = () => broker.records("t").map(({ value }) => String(value));
const byNumber = (texts: Iterable<string>) =>
  [...texts].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));

/** Everything moves one broker on: all leaders, and the group's coordinator. */
function moveAll(step: number): void {
  const ids = broker
    .nodes()
    .filter(({ isRunning }) => isRunning)
    .map(({ id }) => id);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    broker.moveLeader("t", partition, ids[(partition + step) % ids.length] ?? 1);
  }
  broker.moveCoordinator({ group: "g" }, ids[step % ids.length] ?? 1);
}

/** A member of group "g", and what it has read. */
async function reading() {
  const consumer = kafka.consumer({
    groupId: "g",
    sessionTimeout: 2000,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 50,
  });
  ends.push(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: "t", fromBeginning: true });
  const seen: string[] = [];
  await consumer.run({
    autoCommitThreshold: 5,
    eachMessage: async ({ message }) => void seen.push(String(message.value)),
  });
  return seen;
}

/** Sends all values one by one and lets something happen after each tenth. */
async function produceWhile(happens: (step: number) => unknown): Promise<void> {
  const producer = kafka.producer({ idempotent: true });
  ends.push(() => producer.disconnect());
  await producer.connect();
  for (const [index, value] of values.entries()) {
    if (index % 10 === 5) await happens((index - 5) / 10);
    await producer.send({ topic: "t", messages: [{ key: value, value }] });
  }
}

const committed = () =>
  (broker.groups()[0]?.offsets ?? []).reduce((sum, { offset }) => sum + offset, 0) === RECORDS ? true : null;

describe("kafkajs", () => {
  test("leaders and coordinators move while it produces and consumes", async () => {
    const seen = await reading();
    await eventually("a member", async () => (broker.groups()[0]?.state === "Stable" ? true : null), TRIES);
    await produceWhile(moveAll);
    expect(byNumber(inLog())).toEqual(values);
    await eventually("all of them", async () => (new Set(seen).size === RECORDS ? true : null), TRIES);
    await eventually("all commits", async () => committed(), TRIES);
    expect(byNumber(new Set(seen))).toEqual(values);
    // They did move: leader epochs say how often.
    for (const { leaderEpoch } of broker.topics()[0]?.partitions ?? [])
      expect(leaderEpoch).toBeGreaterThan(10);
    const kept = broker.records("t", 0).length;
    expect(broker.topics()[0]?.partitions[0]?.highWatermark).toBe(kept);
  });

  test("brokers stop and start, one after the other, under a group of two", async () => {
    const first = await reading();
    const second = await reading();
    await eventually(
      "two members",
      async () => (broker.groups()[0]?.members.length === 2 ? true : null),
      TRIES,
    );
    await produceWhile(async (step) => {
      const id = IDS[Math.floor(step / 2) % IDS.length] ?? 1;
      if (step % 2 === 0) await broker.stopBroker(id);
      else await broker.startBroker(id);
    });
    for (const id of IDS) await broker.startBroker(id);
    expect(byNumber(inLog())).toEqual(values);
    const seen = () => new Set([...first, ...second]);
    await eventually("all of them", async () => (seen().size === RECORDS ? true : null), TRIES);
    await eventually("all commits", async () => committed(), TRIES);
  });

  test("the coordinator of a transactional id moves between and within its transactions", async () => {
    const producer = kafka.producer({ transactionalId: "x", idempotent: true, maxInFlightRequests: 1 });
    ends.push(() => producer.disconnect());
    await producer.connect();
    for (let round = 0; round < 6; round++) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: "t", messages: [{ value: `v${round}` }] });
      broker.moveLeader("t", round % PARTITIONS, IDS[round % IDS.length] ?? 1);
      await transaction.send({ topic: "t", messages: [{ value: `w${round}` }] });
      if (round % 3 === 2) await transaction.abort();
      else await transaction.commit();
    }
    const kept = broker.records("t").filter(({ transaction }) => transaction === "committed");
    const expected = [0, 1, 3, 4].flatMap((round) => [`v${round}`, `w${round}`]);
    expect(kept.map(({ value }) => String(value)).sort()).toEqual(expected.sort());
  });
});

describe.skipIf(isMissing)("kcat (librdkafka)", () => {
  /** kcat, what it has printed so far, and its end. */
  function kcat(...args: string[]) {
    const child = spawn("kcat", [
      "-b",
      broker.brokers.join(","),
      "-X",
      "topic.metadata.refresh.interval.ms=500",
      ...args,
    ]);
    const run = { child, out: "", err: "", ended: once(child, "close") };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      run.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      run.err += text;
    });
    ends.push(async () => {
      child.kill("SIGKILL");
      await run.ended;
    });
    return run;
  }

  test("leaders and coordinators move, and a broker stops, while it produces and consumes", async () => {
    const reader = kcat("-G", "g", "-X", "auto.offset.reset=earliest", "-u", "-f", "%s\n", "t");
    await eventually("a member", async () => (broker.groups()[0]?.state === "Stable" ? true : null), TRIES);
    // Small batches, each of which takes a while: there is time for something to happen in between.
    const small = ["batch.num.messages=2", "sticky.partitioning.linger.ms=0", "max.in.flight=1"];
    broker.faults.add({
      on: { api: "Produce" },
      times: "always",
      do: { kind: "delay", when: "before", ms: 10 },
    });
    const options = ["enable.idempotence=true", ...small].flatMap((option) => ["-X", option]);
    const writer = kcat("-P", "-t", "t", ...options);
    writer.child.stdin.end(`${values.join("\n")}\n`);
    for (const [step, count] of [10, 40, 70, 100, 130].entries()) {
      await eventually(`${count} records`, async () => (inLog().length >= count ? true : null), TRIES);
      expect(inLog().length).toBeLessThan(RECORDS);
      if (step === 1) await broker.stopBroker(2);
      else if (step === 3) await broker.startBroker(2);
      else moveAll(step + 1);
    }
    await writer.ended;
    expect(byNumber(inLog())).toEqual(values);
    const read = () => new Set(reader.out.trim().split("\n"));
    await eventually("all of them", async () => (read().size === RECORDS ? true : null), TRIES);
    expect(byNumber(read())).toEqual(values);
  });
});
