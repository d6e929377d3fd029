/** An unmodified kafkajs among faults: nothing is lost, and with idempotence or transactions nothing is there twice. */
import { Kafka, logLevel, type Producer } from "kafkajs";
import { describe, expect, test } from "vitest";
import { type Broker, errorCode, type FaultAction, startBroker } from "../index.ts";
import { eventually } from "../testing/cluster-under-test.ts";

/** Of the client: beside a browser on two cores, half a second was too short for an answer that nothing held up. */
const PATIENCE_MS = 1_000;
const RECORDS = 12;
/** Times 50 ms: some of these take seconds, and the machine may be busy. */
const TRIES = 400;
const QUICK_SESSIONS = { "group.min.session.timeout.ms": "500" };

/** What befalls a request, and what goes with it. */
const KINDS: Readonly<Record<string, readonly FaultAction[]>> = {
  "dropped before it is applied": [{ kind: "drop", when: "before" }],
  "dropped after it was applied": [{ kind: "drop", when: "after" }],
  "applied later than the client waits": [{ kind: "delay", when: "before", ms: PATIENCE_MS * 2 }],
  "answered later than the client waits": [{ kind: "delay", when: "after", ms: PATIENCE_MS * 2 }],
  "answered with a cut": [{ kind: "cut" }],
  // kafkajs believes a wrong length, and looks at no checksum: of an answer's head it is the id that it looks at.
  "answered with a wrong correlation id": [{ kind: "corrupt", at: 5 }],
  "answered in single bytes": [{ kind: "split" }],
  "the last one that is read for a while": [{ kind: "stall", ms: PATIENCE_MS * 2 }],
  "dropped, and nobody is let in for a while": [
    { kind: "pause-acceptance", ms: PATIENCE_MS * 2 },
    { kind: "drop", when: "after" },
  ],
};

interface Among {
  readonly broker: Broker;
  readonly kafka: Kafka;
  afterwards(end: () => Promise<unknown>): void;
}

/** A broker and a client of it. A failure says by which faults. */
async function among(scenario: (among: Among) => Promise<void>): Promise<void> {
  const broker = await startBroker({ numPartitions: 1, faults: { seed: 1 }, configs: QUICK_SESSIONS });
  const kafka = new Kafka({
    clientId: "test",
    brokers: broker.brokers,
    logLevel: logLevel.NOTHING,
    requestTimeout: PATIENCE_MS,
    connectionTimeout: PATIENCE_MS,
    retry: { initialRetryTime: 20, maxRetryTime: 200, retries: 20 },
  });
  const ends: (() => Promise<unknown>)[] = [];
  try {
    await scenario({ broker, kafka, afterwards: (end) => void ends.push(end) });
  } catch (error) {
    if (error instanceof Error) error.message += `\n${broker.faults.report()}`;
    throw error;
  } finally {
    broker.faults.clear();
    await Promise.all(ends.map((end) => end()));
    await broker.stop();
  }
}

function addRules(broker: Broker, api: string, call: number, actions: readonly FaultAction[]): void {
  for (const action of actions) broker.faults.add({ on: { api }, call, do: action });
}

/** As an application has to: kafkajs itself gives up where a reconnect takes longer than it likes. */
async function persistently<T>(attempt: () => Promise<T>): Promise<T> {
  const failures: unknown[] = [];
  const done = await eventually(
    "success",
    () =>
      attempt().then(
        (result) => ({ result }),
        (error: unknown) => {
          failures.push(error);
          return null;
        },
      ),
    TRIES,
  ).catch(() => {
    throw failures.at(-1);
  });
  return done.result;
}

const text = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
const inLog = (broker: Broker, topic: string) => broker.records(topic).map(({ value }) => String(value));

/** An idempotent producer writes one record after the other; a group of one reads and commits each. */
async function throughAGroup(api: string, actions: readonly FaultAction[]): Promise<void> {
  await among(async ({ broker, kafka, afterwards }) => {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: "t" }] });
    await admin.disconnect();
    const seen: string[] = [];
    const read = async () => {
      const consumer = kafka.consumer({
        groupId: "g",
        sessionTimeout: 2000,
        heartbeatInterval: 100,
        maxWaitTimeInMs: 100,
      });
      afterwards(() => consumer.disconnect());
      await consumer.connect();
      await consumer.subscribe({ topic: "t", fromBeginning: true });
      await consumer.run({
        autoCommitThreshold: 1,
        eachMessage: async ({ message }) => void seen.push(String(message.value)),
      });
    };
    await read();
    const producer = kafka.producer({ idempotent: true });
    afterwards(() => producer.disconnect());
    await producer.connect();
    await eventually("a member", async () => (broker.groups()[0]?.state === "Stable" ? true : null));
    addRules(broker, api, 2, actions);
    for (const value of text(RECORDS)) {
      await persistently(async () => {
        await producer.connect();
        await producer.send({ topic: "t", messages: [{ value }] }).catch(async (error: unknown) => {
          // After some failures it is useless until it reconnects; it stays the same producer.
          await producer.disconnect();
          throw error;
        });
      });
    }
    // Its connection to the coordinator keeps the piece of an answer over a reconnect, so that this kafkajs consumer is
    // lost, and another has to take its place.
    if (api === "OffsetCommit" && actions[0]?.kind === "cut") await read();
    await eventually(
      "all commits",
      async () => (broker.groups()[0]?.offsets[0]?.offset === RECORDS ? true : null),
      TRIES,
    );
    expect(broker.faults.log()).toHaveLength(actions.length);
    expect(inLog(broker, "t")).toEqual(text(RECORDS));
    // What was read and not committed is read again.
    expect([...new Set(seen)]).toEqual(text(RECORDS));
  });
}

describe.concurrent.each([
  ["Produce", errorCode.notLeaderOrFollower],
  ["Fetch", errorCode.notLeaderOrFollower],
  ["OffsetCommit", errorCode.notCoordinator],
])("kafkajs, %s", (api, code) => {
  test.each(Object.entries(KINDS))("%s", (_name, actions) => throughAGroup(api, actions));

  test.each(["before", "after"] as const)("answered with an error, %s it is applied", (when) =>
    throughAGroup(api, [{ kind: "error", code, when }]),
  );
});

/**
 * Reads one record after the other, writes what it makes of it and says in the same transaction how far it has come. After
 * an error it begins again as another producer of the same name from where the group says it is.
 */
async function exactlyOnce(api: string, actions: readonly FaultAction[]): Promise<void> {
  await among(async ({ broker, kafka, afterwards }) => {
    const producers = new Set<Producer>();
    afterwards(() => Promise.all([...producers].map((producer) => producer.disconnect())));
    const admin = kafka.admin();
    afterwards(() => admin.disconnect());
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: "out" }, { topic: "in" }] });
    const begin = async () => {
      const producer = kafka.producer({ transactionalId: "x", idempotent: true, maxInFlightRequests: 1 });
      producers.add(producer);
      await producer.connect();
      return producer;
    };
    const position = async () => {
      const [found] = await admin.fetchOffsets({ groupId: "g", topics: ["in"] });
      return Math.max(Number(found?.partitions[0]?.offset ?? 0), 0);
    };
    if (api === "InitProducerId") addRules(broker, api, 1, actions);
    let producer = await persistently(begin);
    if (api !== "InitProducerId") addRules(broker, api, 2, actions);
    let failures = 0;
    for (let at = await position(); at < RECORDS; at = await position()) {
      try {
        const transaction = await producer.transaction();
        await transaction.send({ topic: "out", messages: [{ value: `v${at}` }] });
        const partitions = [{ partition: 0, offset: String(at + 1) }];
        await transaction.sendOffsets({ consumerGroupId: "g", topics: [{ topic: "in", partitions }] });
        await transaction.commit();
      } catch (error) {
        failures += 1;
        if (failures > 5) throw error;
        producer = await persistently(begin);
      }
    }
    expect(broker.faults.log()).toHaveLength(actions.length);
    const committed = broker.records("out").filter(({ transaction }) => transaction === "committed");
    expect(committed.map(({ value }) => String(value))).toEqual(text(RECORDS));
    expect(broker.transactions()[0]?.state).toBe("CompleteCommit");
  });
}

describe.concurrent.each(["EndTxn", "AddPartitionsToTxn", "TxnOffsetCommit", "InitProducerId"])(
  "kafkajs, %s",
  (api) => {
    const kinds = api === "EndTxn" ? Object.entries(KINDS) : Object.entries(KINDS).slice(0, 3);
    test.each(kinds)("%s", (_name, actions) => exactlyOnce(api, actions));
  },
);

test.concurrent.each(["before", "after"] as const)(
  "kafkajs, EndTxn answered with an error, %s it is applied",
  (when) => exactlyOnce("EndTxn", [{ kind: "error", code: errorCode.notCoordinator, when }]),
);
