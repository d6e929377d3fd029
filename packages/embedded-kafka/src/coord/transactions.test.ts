/** The transaction coordinator under a clock that moves only when told. What clients see of it: conformance/transactions. */
import { describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { listTransactions } from "../protocol/messages/list-transactions.ts";
import { readHeader, TRANSACTIONAL } from "../records/batch.ts";
import { buildBatch } from "../records/record.ts";
import { InProcessBroker } from "../testing/in-process.ts";
import { TemporaryFolder } from "../testing/temporary-folder.ts";
import type { ProducerIdentity } from "./transactional-id.ts";

const TIMEOUT_MS = 60_000;
const ID = "id";

/** A broker with a topic `t` and a producer that has begun. */
function started(configs: Record<string, string> = {}, folder?: TemporaryFolder) {
  const broker = new InProcessBroker({ configs, ...(folder === undefined ? {} : { folder }) });
  broker.createTopic("t", 2);
  const init = (expected: ProducerIdentity | null = null) =>
    broker.transactions.init({ transactionalId: ID, timeoutMs: TIMEOUT_MS, expected });
  const first = init();
  const as = ({ producerId, producerEpoch }: ProducerIdentity) => ({
    transactionalId: ID,
    producerId,
    producerEpoch,
  });
  const add = (who: ProducerIdentity = first, partitions = [0]) =>
    broker.transactions.addPartitions(as(who), [{ name: "t", partitions }]);
  const end = (committed: boolean, who: ProducerIdentity = first) =>
    broker.transactions.end(as(who), committed);
  const state = () => broker.transactions.get(ID)?.state;
  return { broker, first, init, as, add, end, state, ...broker };
}

describe("epochs", () => {
  /** A producer whose epoch is the last one that a producer gets. */
  function exhausted() {
    const one = started();
    let last = one.first;
    while (last.producerEpoch < 32_766) last = one.init();
    expect(last).toEqual({ errorCode: 0, producerId: one.first.producerId, producerEpoch: 32_766 });
    return { ...one, last };
  }

  test("when they are used up, the producer gets a new id", () => {
    const { init, last, add } = exhausted();
    const next = init();
    expect(next).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(next.producerId).not.toBe(last.producerId);
    expect(add(last)).toBe(errorCode.invalidProducerIdMapping);
    expect(add(next)).toBe(errorCode.none);
  });

  test("when they are used up, the request may be repeated as well", () => {
    const { init, last } = exhausted();
    const next = init(last);
    expect(next.producerId).not.toBe(last.producerId);
    expect(init(last)).toEqual(next);
    expect(init(next)).toMatchObject({ producerId: next.producerId, producerEpoch: 1 });
    expect(init(last).errorCode).toBe(errorCode.producerFenced);
  });

  test("the one that fences the last is given to nobody", () => {
    const { init, last, add, end, state } = exhausted();
    add(last);
    expect(init().errorCode).toBe(errorCode.concurrentTransactions);
    expect(state()).toBe("CompleteAbort");
    expect(end(false, last)).toBe(errorCode.producerFenced);
    const next = init(last);
    expect(next).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(next.producerId).not.toBe(last.producerId);
    expect(init(last)).toEqual(next);
  });
});

describe("time", () => {
  test("a transaction ends when its timeout is over, counted from its beginning", () => {
    const { clock, first, add, end, state, init } = started();
    clock.advance(1_000_000);
    add();
    clock.advance(TIMEOUT_MS - 1);
    add(first, [1]);
    expect(state()).toBe("Ongoing");
    clock.advance(1);
    expect(state()).toBe("CompleteAbort");
    expect(end(true)).toBe(errorCode.producerFenced);
    const again = init(first);
    expect(again).toMatchObject({ errorCode: 0, producerEpoch: first.producerEpoch + 1 });
    expect(end(false, again)).toBe(errorCode.invalidTxnState);
  });

  test("one that ended in time is left alone, and so is the next", () => {
    const { clock, add, end, state } = started();
    add();
    clock.advance(TIMEOUT_MS - 1);
    end(true);
    add();
    clock.advance(TIMEOUT_MS - 1);
    expect(state()).toBe("Ongoing");
    end(true);
    expect(clock.timers).toBe(0);
  });

  test("a transactional id is forgotten when it is not used, but not while its transaction runs", () => {
    const expirationMs = 30_000;
    const { clock, transactions, first, add, end } = started({
      "transactional.id.expiration.ms": String(expirationMs),
    });
    add();
    clock.advance(expirationMs);
    transactions.cleanUp();
    expect(end(true)).toBe(errorCode.none);
    clock.advance(expirationMs - 1);
    transactions.cleanUp();
    expect(add()).toBe(errorCode.none);
    end(false);
    clock.advance(expirationMs);
    transactions.cleanUp();
    expect(transactions.all).toEqual([]);
    expect(add()).toBe(errorCode.invalidProducerIdMapping);
    expect(first.errorCode).toBe(errorCode.none);
  });

  test("the timeout may not be longer than the broker allows", () => {
    const { transactions } = started({ "transaction.max.timeout.ms": "1000" });
    const ask = (timeoutMs: number) =>
      transactions.init({ transactionalId: "other", timeoutMs, expected: null }).errorCode;
    expect([ask(1001), ask(1000)]).toEqual([errorCode.invalidTransactionTimeout, errorCode.none]);
  });

  test("nothing ticks after the end of the broker", () => {
    const { clock, transactions, add } = started();
    add();
    expect(clock.timers).toBe(1);
    transactions.close();
    expect(clock.timers).toBe(0);
  });
});

describe("a leader that can't be reached", () => {
  const PAUSE_MS = 150;

  test.each([true, false])(
    "holds up the end, and everything that comes after it (committed %s)",
    (committed) => {
      const { broker, clock, first, add, end, state, init, transactions, as } = started();
      add(first, [0, 1]);
      broker.reaches = ({ index }) => index !== 1;
      expect(end(committed)).toBe(errorCode.none);
      const preparing = committed ? "PrepareCommit" : "PrepareAbort";
      expect(state()).toBe(preparing);
      expect(broker.cluster.partition("t", 0)?.log.highWatermark).toBe(1);
      const later = errorCode.concurrentTransactions;
      expect([add(), end(committed), end(!committed), init().errorCode]).toEqual([
        later,
        later,
        errorCode.invalidTxnState,
        later,
      ]);
      expect(transactions.verifyPartition(as(first), "t", 1)).toBe(later);
      clock.advance(10 * PAUSE_MS);
      expect(state()).toBe(preparing);
      broker.reaches = () => true;
      clock.advance(PAUSE_MS);
      expect(state()).toBe(committed ? "CompleteCommit" : "CompleteAbort");
      expect(broker.cluster.partition("t", 0)?.log.highWatermark).toBe(1);
      expect(broker.cluster.partition("t", 1)?.log.highWatermark).toBe(1);
      expect(clock.timers).toBe(0);
    },
  );
});

test.each([true, false])("what was decided before a kill is done after it (committed %s)", (committed) => {
  const { broker, first, add, end, groups, as, transactions } = started({}, new TemporaryFolder());
  add(first, [0, 1]);
  transactions.addGroup(as(first), "g");
  const offset = { offset: 7, leaderEpoch: -1, metadata: "", committedMs: 0 };
  groups.commitInTransaction("g", first.producerId, "t", 0, offset);
  broker.reaches = ({ index }) => index !== 1;
  end(committed);
  using next = broker.killed();
  expect(next.transactions.get(ID)?.state).toBe(committed ? "CompleteCommit" : "CompleteAbort");
  // The first partition had its marker before. Which have is not kept, so it gets another, as in Apache Kafka.
  const ends = [0, 1].map((index) => next.cluster.partition("t", index)?.log.highWatermark);
  expect(ends).toEqual([2, 1]);
  const offsets = next.groups.get("g")?.offsets;
  expect(offsets?.get("t", 0)?.offset).toBe(committed ? 7 : undefined);
  expect(offsets?.isPending("t", 0) ?? false).toBe(false);
});

test("a topic that is deleted takes its part of the transaction with it", () => {
  const { cluster, add, end, state } = started();
  add();
  cluster.deleteTopic("t");
  expect(end(true)).toBe(errorCode.none);
  expect(state()).toBe("CompleteCommit");
});

test("of two transactions that commit an offset the later commit of the offset stays, whichever ends first", () => {
  const { groups, transactions } = started();
  const commit = (producerId: number, offset: number) =>
    groups.commitInTransaction("g", producerId, "t", 0, {
      offset,
      leaderEpoch: -1,
      metadata: "",
      committedMs: 0,
    });
  commit(1, 10);
  commit(2, 20);
  commit(1, 11);
  groups.endTransaction("g", 1, true);
  groups.endTransaction("g", 2, true);
  expect(groups.get("g")?.offsets.get("t", 0)?.offset).toBe(11);
  commit(1, 30);
  commit(2, 40);
  groups.endTransaction("g", 2, false);
  groups.endTransaction("g", 1, true);
  expect(groups.get("g")?.offsets.get("t", 0)?.offset).toBe(30);
  expect(transactions.all).toHaveLength(1);
});

test("offsets of a deleted topic are not committed later, and a group that only waits is not forgotten", () => {
  const { cluster, groups, clock } = started();
  const offset = { offset: 1, leaderEpoch: -1, metadata: "", committedMs: clock.now() };
  groups.commitInTransaction("g", 1, "t", 0, offset);
  groups.cleanUp();
  expect(groups.get("g")?.offsets.isPending("t", 0)).toBe(true);
  cluster.deleteTopic("t");
  groups.endTransaction("g", 1, true);
  groups.cleanUp();
  expect(groups.get("g")).toBeUndefined();
});

test("with LogAppendTime a marker has the time of its append, as everything else", () => {
  const broker = new InProcessBroker();
  broker.createTopic("t", 1, { "message.timestamp.type": "LogAppendTime" });
  const { producerId, producerEpoch } = broker.transactions.init({
    transactionalId: ID,
    timeoutMs: TIMEOUT_MS,
    expected: null,
  });
  const who = { transactionalId: ID, producerId, producerEpoch };
  broker.transactions.addPartitions(who, [{ name: "t", partitions: [0] }]);
  broker.transactions.end(who, true);
  const [marker] = broker.cluster.partition("t", 0)?.log.read(0, 1000, true).batches ?? [];
  if (marker === undefined) expect.unreachable("no marker");
  expect(readHeader(marker)).toMatchObject({ control: true, maxTimestamp: broker.clock.now() });
});

test("a pattern that a backtracking search would not come to the end of fits or does not, as any other", () => {
  const broker = new InProcessBroker();
  const transactionalId = `${"a".repeat(40)}!`;
  broker.transactions.init({ transactionalId, timeoutMs: TIMEOUT_MS, expected: null });
  const answer = broker.ask(listTransactions, 2, {
    stateFilters: [],
    producerIdFilters: [],
    transactionalIdPattern: "(a+)+",
  });
  expect(answer).toMatchObject({ errorCode: errorCode.none, transactionStates: [] });
});

test("a repeated batch is known again while its transaction is open, and its partition is asked for only once", () => {
  const { broker, first, as } = started();
  const request = {
    v3AndBelowTransactionalId: ID,
    v3AndBelowProducerId: first.producerId,
    v3AndBelowProducerEpoch: first.producerEpoch,
    v3AndBelowTopics: [{ name: "t", partitions: [0] }],
  };
  broker.ask(addPartitionsToTxn, 3, request);
  broker.ask(addPartitionsToTxn, 0, request);
  expect([...(broker.transactions.get(ID)?.partitions ?? [])]).toEqual([["t", new Set([0])]]);
  const log = broker.cluster.partition("t", 0)?.log;
  const batch = () =>
    buildBatch({
      records: [{ value: Buffer.from("v") }],
      baseTimestampMs: broker.clock.now(),
      ...as(first),
      baseSequence: 0,
      attributes: TRANSACTIONAL,
    });
  const options = { nowMs: broker.clock.now(), leaderEpoch: 0, produceVersion: 9 };
  const answers = [log?.append(batch(), options), log?.append(batch(), options)];
  const sent = { errorCode: errorCode.none, baseOffset: 0 };
  // A repeat is answered with the time of its batch, whoever gave it.
  expect(answers).toEqual([
    { ...sent, logAppendTimeMs: -1 },
    { ...sent, logAppendTimeMs: broker.clock.now() },
  ]);
  expect(log?.highWatermark).toBe(1);
});
