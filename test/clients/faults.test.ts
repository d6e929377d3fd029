/**
 * Clients among faults, on an embedded broker of each test's own: nothing is lost, and nothing is there twice. kafkajs has its
 * own, with more kinds (packages/embedded-kafka/src/clients/kafkajs-faults.test.ts).
 */
import { type Broker, errorCode, type FaultAction, startBroker } from "@kelvin/embedded-kafka";
import { waitFor } from "@kelvin/test-kit";
import kafkajs from "kafkajs";
import { describe, expect, test } from "vitest";
import { Seen } from "./client.ts";
import { because, type Entry, isSkipped, roster } from "./roster.ts";

const KINDS: Readonly<Record<string, readonly FaultAction[]>> = {
  "dropped before it is applied": [{ kind: "drop", when: "before" }],
  "dropped after it was applied": [{ kind: "drop", when: "after" }],
  "answered late": [{ kind: "delay", when: "after", ms: 400 }],
  "answered with a cut": [{ kind: "cut" }],
  "answered in single bytes": [{ kind: "split" }],
  "dropped, and nobody is let in for a while": [
    { kind: "pause-acceptance", ms: 500 },
    { kind: "drop", when: "after" },
  ],
};
const ROUNDS = 3;
const TOGETHER = 10;
const PATIENT = { timeoutMs: 60_000, everyMs: 50 };
const values = Array.from({ length: ROUNDS * TOGETHER }, (_, index) => `v${index}`);
const ofRound = (round: number) => values.slice(round * TOGETHER, (round + 1) * TOGETHER);

async function among(scenario: (broker: Broker) => Promise<void>): Promise<void> {
  const broker = await startBroker({ numPartitions: 1, faults: { seed: 1 } });
  try {
    const admin = new kafkajs.Kafka({ brokers: broker.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: "t" }] });
    await admin.disconnect();
    await scenario(broker);
  } catch (error) {
    if (error instanceof Error) error.message += `\n${broker.faults.report()}`;
    throw error;
  } finally {
    await broker.stop();
  }
}

function addRules(broker: Broker, api: string, actions: readonly FaultAction[]): void {
  for (const action of actions) broker.faults.add({ on: { api }, call: 2, do: action });
}

/** Idempotent producers write, a group of one reads and commits. */
const throughAGroup = (entry: Entry, api: string, actions: readonly FaultAction[]) =>
  among(async (broker) => {
    const at = broker.brokers.join();
    await using writer = entry.start(at);
    await using member = entry.start(at);
    await member.call("join", { group: "g", topic: "t" });
    await waitFor("a member", () => broker.groups()[0]?.state === "Stable", PATIENT);
    addRules(broker, api, actions);
    for (let round = 0; round < ROUNDS; round++) {
      const records = ofRound(round).map((value) => ({
        ...{ partition: 0, key: null, value, headers: {} },
        timestamp: Date.now(),
      }));
      await writer.call("produce", { topic: "t", codec: "none", records });
      const written = (round + 1) * TOGETHER;
      await waitFor("its commit", () => broker.groups()[0]?.offsets[0]?.offset === written, PATIENT);
    }
    expect(broker.faults.log()).toHaveLength(actions.length);
    expect(broker.records("t").map(({ value }) => String(value))).toEqual(values);
    // What was read and not committed is read again.
    expect([...new Set(Seen.parse(await member.call("seen")).values)]).toEqual(values);
  });

const inTransactions = (entry: Entry, actions: readonly FaultAction[]) =>
  among(async (broker) => {
    await using writer = entry.start(broker.brokers.join());
    await writer.call("begin", { producer: "p", transactionalId: "x" });
    addRules(broker, "EndTxn", actions);
    for (let round = 0; round < ROUNDS; round++) {
      await writer.call("transact", { producer: "p", topic: "t", values: ofRound(round), end: "commit" });
    }
    expect(broker.faults.log()).toHaveLength(actions.length);
    const committed = broker.records("t").filter(({ transaction }) => transaction === "committed");
    expect(committed.map(({ value }) => String(value))).toEqual(values);
    expect(broker.transactions()[0]?.state).toBe("CompleteCommit");
  });

for (const entry of roster.filter(({ name }) => ["kcat", "confluent-kafka", "Java client"].includes(name))) {
  describe.concurrent(`${entry.name}${because(entry.missing)}, among faults`, () => {
    const possible = test.skipIf(isSkipped(entry));
    for (const [api, code] of [
      ["Produce", errorCode.notLeaderOrFollower],
      ["Fetch", errorCode.notLeaderOrFollower],
      ["OffsetCommit", errorCode.notCoordinator],
    ] as const) {
      // kcat ends, loudly, when its only broker is gone while it writes; confluent-kafka is the same library.
      if (api === "Produce" && entry.name === "kcat") continue;
      for (const [kind, actions] of Object.entries(KINDS)) {
        possible(`${api}, ${kind}`, () => throughAGroup(entry, api, actions));
      }
      for (const when of ["before", "after"] as const) {
        possible(`${api}, answered with an error, ${when} it is applied`, () =>
          throughAGroup(entry, api, [{ kind: "error", code, when }]),
        );
      }
    }
    if (!entry.transactions) return;
    for (const [kind, actions] of Object.entries(KINDS)) {
      possible(`EndTxn, ${kind}`, () => inTransactions(entry, actions));
    }
    for (const when of ["before", "after"] as const) {
      const action: FaultAction = { kind: "error", code: errorCode.notCoordinator, when };
      possible(`EndTxn, answered with an error, ${when} it is applied`, () =>
        inTransactions(entry, [action]),
      );
    }
  });
}
