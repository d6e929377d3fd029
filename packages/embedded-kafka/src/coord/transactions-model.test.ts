/**
 * Transactions against a model: several producers, their successors, timeouts, leaders that can't be reached, kills. A
 * partition is a list of values, each with what became of it; readers at read_committed see all of what was committed
 * and nothing of what was aborted, in order; the others see everything.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { endTxn } from "../protocol/messages/end-txn.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { txnOffsetCommit } from "../protocol/messages/txn-offset-commit.ts";
import { readHeader, TRANSACTIONAL } from "../records/batch.ts";
import { readMarker } from "../records/control.ts";
import { buildBatch } from "../records/record.ts";
import { batchesIn, consumed, nextOffset } from "../testing/consumed.ts";
import { InProcessBroker } from "../testing/in-process.ts";
import { TemporaryFolder } from "../testing/temporary-folder.ts";

const TOPIC = "t";
const GROUP = "g";
const PARTITIONS = 2;
const IDS = 3;
const TIMEOUT_MS = 60_000;
/** Longer than it takes until a marker is tried again. */
const PAUSE_MS = 150;
const READ_COMMITTED = 1;

type Fate = "open" | "committed" | "aborted";

/** What a transaction has in one partition. */
interface Part {
  fate: Fate;
}

/** One offset: a value, or nothing where a marker is. */
interface Entry {
  readonly value: string | null;
  /** Null outside of transactions. */
  readonly part: Part | null;
}

interface ModelTransaction {
  /** What the decision was, once there is one. */
  decided: boolean | null;
  readonly startedMs: number;
  /** Partitions that have no marker yet. */
  readonly partitions: Map<number, Part>;
  /** Partitions that have one, and may get another when the broker is killed before all have one. */
  readonly marked: Set<number>;
  group: boolean;
  readonly offsets: Map<number, { value: number; order: number }>;
}

/** One start of a producer: a later one of the same transactional id makes it a zombie. */
interface Incarnation {
  readonly id: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly sequences: number[];
}

interface ModelId {
  owner: Incarnation | null;
  transaction: ModelTransaction | null;
  /** How the last one ended; null where the producer has had none. */
  last: boolean | null;
}

class Model implements Disposable {
  broker: InProcessBroker;
  readonly logs: Entry[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly ids: ModelId[] = Array.from({ length: IDS }, () => ({
    owner: null,
    transaction: null,
    last: null,
  }));
  readonly incarnations: Incarnation[] = [];
  readonly unreachable = new Set<number>();
  readonly committed = new Map<number, { value: number; order: number }>();
  readonly readers = Array.from({ length: PARTITIONS }, () => ({ position: 0, values: [] as string[] }));
  #wasKilled = false;
  #values = 0;
  #commits = 0;

  constructor(folder?: TemporaryFolder) {
    this.broker = new InProcessBroker(folder === undefined ? {} : { folder });
    this.broker.createTopic(TOPIC, PARTITIONS);
    this.#connect();
    // So that most steps have somebody to be done by.
    for (let id = 0; id < IDS; id++) this.start(id);
  }

  #connect(): void {
    this.broker.reaches = ({ index }) => !this.unreachable.has(index);
  }

  /** The broker is killed, and started again on its folder: it finds every leader. */
  kill(): void {
    this.broker = this.broker.killed();
    this.#wasKilled = true;
    this.unreachable.clear();
    this.#connect();
  }

  [Symbol.dispose](): void {
    this.broker[Symbol.dispose]();
  }

  #id(index: number): ModelId {
    const id = this.ids[index];
    if (id === undefined) throw new RangeError(`no transactional id ${index}`);
    return id;
  }

  /** An incarnation, whether it may do anything, and its id. */
  #who(index: number) {
    const incarnation = this.incarnations[index % Math.max(this.incarnations.length, 1)];
    if (incarnation === undefined) return null;
    const id = this.#id(incarnation.id);
    const { producerId, producerEpoch } = incarnation;
    const request = { transactionalId: `id${incarnation.id}`, producerId, producerEpoch };
    return { incarnation, id, isOwner: id.owner === incarnation, request };
  }

  start(index: number): void {
    const id = this.#id(index);
    const init = () =>
      this.broker.ask(initProducerId, 4, { transactionalId: `id${index}`, transactionTimeoutMs: TIMEOUT_MS });
    if (id.transaction !== null) {
      expect(init().errorCode).toBe(errorCode.concurrentTransactions);
      if (id.transaction.decided !== null) return;
      this.#decide(id, false);
      id.owner = null;
      this.settle();
      if (id.transaction !== null) return;
    }
    const { errorCode: code, producerId, producerEpoch } = init();
    expect(code).toBe(errorCode.none);
    id.owner = { id: index, producerId, producerEpoch, sequences: Array(PARTITIONS).fill(0) };
    id.last = null;
    this.incarnations.push(id.owner);
  }

  /** What a request that belongs to a transaction is answered, where that does not depend on the request. */
  #problem(id: ModelId, isOwner: boolean): number {
    if (!isOwner) return errorCode.producerFenced;
    return id.transaction !== null && id.transaction.decided !== null
      ? errorCode.concurrentTransactions
      : errorCode.none;
  }

  #open(id: ModelId): ModelTransaction {
    id.transaction ??= {
      decided: null,
      startedMs: this.broker.clock.now(),
      partitions: new Map(),
      marked: new Set(),
      group: false,
      offsets: new Map(),
    };
    return id.transaction;
  }

  add(index: number, partition: number): void {
    const who = this.#who(index);
    if (who === null) return;
    const { resultsByTopicV3AndBelow } = this.broker.ask(addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: who.request.transactionalId,
      v3AndBelowProducerId: who.request.producerId,
      v3AndBelowProducerEpoch: who.request.producerEpoch,
      v3AndBelowTopics: [{ name: TOPIC, partitions: [partition] }],
    });
    const problem = this.#problem(who.id, who.isOwner);
    expect(resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode).toBe(problem);
    if (problem !== errorCode.none) return;
    const { partitions } = this.#open(who.id);
    if (!partitions.has(partition)) partitions.set(partition, { fate: "open" });
  }

  send(index: number, partition: number, count: number, twice: boolean): void {
    const who = this.#who(index);
    if (who === null) return;
    const { id, isOwner, incarnation, request } = who;
    const values = Array.from({ length: count }, () => `v${this.#values++}`);
    const baseSequence = incarnation.sequences[partition] ?? 0;
    const batch = () =>
      buildBatch({
        records: values.map((value) => ({ value: Buffer.from(value) })),
        baseTimestampMs: this.broker.clock.now(),
        producerId: request.producerId,
        producerEpoch: request.producerEpoch,
        baseSequence,
        attributes: TRANSACTIONAL,
      });
    const answer = this.#produce(request.transactionalId, partition, batch());
    const problem = this.#problem(id, isOwner);
    const part = id.transaction?.partitions.get(partition);
    const expected =
      problem === errorCode.producerFenced
        ? errorCode.invalidProducerEpoch
        : problem === errorCode.concurrentTransactions
          ? errorCode.notEnoughReplicas
          : part === undefined
            ? errorCode.invalidTxnState
            : errorCode.none;
    expect(answer.errorCode).toBe(expected);
    if (expected !== errorCode.none || part === undefined) return;
    expect(answer.baseOffset).toBe(this.logs[partition]?.length);
    incarnation.sequences[partition] = baseSequence + count;
    this.logs[partition]?.push(...values.map((value) => ({ value, part })));
    if (twice) expect(this.#produce(request.transactionalId, partition, batch())).toEqual(answer);
  }

  plain(partition: number): void {
    const value = `v${this.#values++}`;
    const records = [{ value: Buffer.from(value) }];
    this.#produce(null, partition, buildBatch({ records, baseTimestampMs: this.broker.clock.now() }));
    this.logs[partition]?.push({ value, part: null });
  }

  #produce(transactionalId: string | null, partition: number, batch: Buffer) {
    const { responses } = this.broker.ask(produce, 9, {
      transactionalId,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: TOPIC, partitionData: [{ index: partition, records: [batch] }] }],
    });
    const [answer] = responses[0]?.partitionResponses ?? [];
    if (answer === undefined) expect.unreachable("no answer");
    return { errorCode: answer.errorCode, baseOffset: answer.baseOffset };
  }

  commitOffset(index: number, partition: number): void {
    const who = this.#who(index);
    if (who === null) return;
    const problem = this.#problem(who.id, who.isOwner);
    const { errorCode: added } = this.broker.ask(addOffsetsToTxn, 3, { ...who.request, groupId: GROUP });
    expect(added).toBe(problem);
    const order = this.#commits++;
    const { topics } = this.broker.ask(txnOffsetCommit, 3, {
      ...who.request,
      groupId: GROUP,
      topics: [
        {
          name: TOPIC,
          partitions: [{ partitionIndex: partition, committedOffset: order, committedMetadata: "" }],
        },
      ],
    });
    const expected = problem === errorCode.producerFenced ? errorCode.invalidProducerEpoch : problem;
    expect(topics[0]?.partitions[0]?.errorCode).toBe(expected);
    if (problem !== errorCode.none) return;
    const transaction = this.#open(who.id);
    transaction.group = true;
    transaction.offsets.set(partition, { value: order, order });
  }

  end(index: number, committed: boolean): void {
    const who = this.#who(index);
    if (who === null) return;
    const { id, isOwner } = who;
    const { errorCode: code } = this.broker.ask(endTxn, 3, { ...who.request, committed });
    if (!isOwner) expect(code).toBe(errorCode.producerFenced);
    else if (id.transaction === null) {
      expect(code).toBe(id.last === committed ? errorCode.none : errorCode.invalidTxnState);
    } else if (id.transaction.decided === null) {
      expect(code).toBe(errorCode.none);
      this.#decide(id, committed);
    } else {
      const same = id.transaction.decided === committed;
      expect(code).toBe(same ? errorCode.concurrentTransactions : errorCode.invalidTxnState);
    }
  }

  #decide(id: ModelId, committed: boolean): void {
    if (id.transaction === null) throw new RangeError("nothing to decide on");
    id.transaction.decided = committed;
  }

  /** Partitions that can be reached again get their markers within a pause. */
  find(): void {
    this.unreachable.clear();
    this.advance(PAUSE_MS);
  }

  advance(ms: number): void {
    const untilMs = this.broker.clock.now() + ms;
    for (const id of this.ids) {
      if (id.transaction === null || id.transaction.decided !== null) continue;
      if (id.transaction.startedMs + TIMEOUT_MS > untilMs) continue;
      this.#decide(id, false);
      id.owner = null;
    }
    this.broker.clock.advance(ms);
  }

  /** Takes in the markers that were written, each of which has to be due, and none that is due may be missing. */
  settle(): void {
    for (const [partition, entries] of this.logs.entries()) {
      const { records } = this.#fetch(partition, entries.length, 0, 1 << 20);
      for (const batch of batchesIn(records)) {
        const { producerId, control } = readHeader(batch);
        expect(control).toBe(true);
        const id = this.ids.find((one) => this.#producerIdOf(one) === producerId);
        if (id === undefined || id.transaction === null) expect.unreachable("a marker of no transaction");
        const { decided, partitions, marked } = id.transaction;
        expect(readMarker(batch)?.committed).toBe(decided);
        entries.push({ value: null, part: null });
        const part = partitions.get(partition);
        if (part === undefined) expect([this.#wasKilled, marked.has(partition)]).toEqual([true, true]);
        else part.fate = decided ? "committed" : "aborted";
        partitions.delete(partition);
        marked.add(partition);
      }
    }
    this.#wasKilled = false;
    for (const id of this.ids) {
      if (id.transaction === null || id.transaction.decided === null) continue;
      for (const partition of id.transaction.partitions.keys()) {
        expect(this.unreachable.has(partition)).toBe(true);
      }
      if (id.transaction.partitions.size === 0) this.#finish(id, id.transaction);
    }
  }

  #producerIdOf(id: ModelId): number | undefined {
    const index = this.ids.indexOf(id);
    return this.incarnations.findLast((incarnation) => incarnation.id === index)?.producerId;
  }

  #finish(id: ModelId, { decided, offsets }: ModelTransaction): void {
    id.last = decided;
    id.transaction = null;
    if (decided !== true) return;
    for (const [partition, offset] of offsets) {
      if (offset.order > (this.committed.get(partition)?.order ?? -1)) this.committed.set(partition, offset);
    }
  }

  #fetch(partition: number, fetchOffset: number, isolationLevel: number, partitionMaxBytes: number) {
    const { responses } = this.broker.ask(fetch, 11, {
      maxWaitMs: 0,
      minBytes: 1,
      isolationLevel,
      topics: [{ topic: TOPIC, partitions: [{ partition, fetchOffset, partitionMaxBytes }] }],
    });
    const [answer] = responses[0]?.partitions ?? [];
    if (answer === undefined) expect.unreachable("no answer");
    expect(answer.errorCode).toBe(errorCode.none);
    return answer;
  }

  /** A reader at read_committed continues where it was. */
  read(partition: number, maxBytes: number): void {
    const reader = this.readers[partition];
    if (reader === undefined) return;
    const answer = this.#fetch(partition, reader.position, READ_COMMITTED, maxBytes);
    reader.values.push(...consumed(answer, reader.position).map(({ value }) => String(value)));
    reader.position = nextOffset(answer, reader.position);
  }

  check(): void {
    for (const [partition, entries] of this.logs.entries()) {
      const everything = entries.flatMap(({ value }) => value ?? []);
      expect(consumed(this.#fetch(partition, 0, 0, 1 << 20)).map(({ value }) => String(value))).toEqual(
        everything,
      );
      const firstOpen = entries.findIndex(({ part }) => part?.fate === "open");
      const stable = firstOpen < 0 ? entries.length : firstOpen;
      const visible = (end: number) =>
        entries.slice(0, end).flatMap(({ value, part }) => (part?.fate === "aborted" ? [] : (value ?? [])));
      const answer = this.#fetch(partition, 0, READ_COMMITTED, 1 << 20);
      expect([answer.lastStableOffset, answer.highWatermark]).toEqual([stable, entries.length]);
      expect(consumed(answer).map(({ value }) => String(value))).toEqual(visible(stable));
      const reader = this.readers[partition];
      expect(reader?.position).toBeLessThanOrEqual(stable);
      expect(reader?.values).toEqual(visible(reader?.position ?? 0));
      expect(this.#latest(partition)).toBe(stable);
    }
    expect(this.#offsets()).toEqual(
      this.logs.map((_, partition) => {
        const pending = this.ids.some(({ transaction }) => transaction?.offsets.has(partition));
        return pending ? errorCode.unstableOffsetCommit : (this.committed.get(partition)?.value ?? "none");
      }),
    );
  }

  #latest(partition: number): number | undefined {
    const { topics } = this.broker.ask(listOffsets, 2, {
      replicaId: -1,
      isolationLevel: READ_COMMITTED,
      topics: [{ name: TOPIC, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
    });
    return topics[0]?.partitions[0]?.offset;
  }

  #offsets() {
    const topics = [{ name: TOPIC, partitionIndexes: [...this.logs.keys()] }];
    const answer = this.broker.ask(offsetFetch, 7, { groupId: GROUP, topics, requireStable: true });
    return answer.topics[0]?.partitions.map(({ errorCode: code, committedOffset }) => {
      if (code !== errorCode.none) return code;
      return committedOffset < 0 ? "none" : committedOffset;
    });
  }
}

interface Step {
  readonly take: (model: Model) => void;
}

/** A kind of step; printed by its name where a run fails. */
function stepOf<A extends unknown[]>(
  name: string,
  weight: number,
  args: fc.Arbitrary<A>,
  take: (model: Model, ...args: A) => void,
): { weight: number; arbitrary: fc.Arbitrary<Step> } {
  const arbitrary = args.map((values) => ({
    take: (model: Model) => take(model, ...values),
    [fc.toStringMethod]: () => `${name}(${values.join(", ")})`,
  }));
  return { weight, arbitrary };
}

const partition = fc.nat({ max: PARTITIONS - 1 });
const who = fc.nat({ max: 20 });
const count = fc.integer({ min: 1, max: 3 });
const pause = fc.constantFrom(PAUSE_MS, 5000, 20_000, TIMEOUT_MS + 1);
const steps = [
  stepOf("start", 2, fc.tuple(fc.nat({ max: IDS - 1 })), (model, id) => model.start(id)),
  stepOf("add", 4, fc.tuple(who, partition), (model, ...args) => model.add(...args)),
  stepOf("send", 8, fc.tuple(who, partition, count, fc.boolean()), (model, ...args) => model.send(...args)),
  stepOf("commitOffset", 4, fc.tuple(who, partition), (model, ...args) => model.commitOffset(...args)),
  stepOf("end", 4, fc.tuple(who, fc.boolean()), (model, ...args) => model.end(...args)),
  stepOf("plain", 2, fc.tuple(partition), (model, index) => model.plain(index)),
  stepOf("read", 3, fc.tuple(partition, fc.nat({ max: 400 })), (model, ...args) => model.read(...args)),
  stepOf("lose", 1, fc.tuple(partition), (model, index) => void model.unreachable.add(index)),
  stepOf("advance", 3, fc.tuple(pause), (model, ms) => model.advance(ms)),
  stepOf("find", 1, fc.constant([]), (model) => model.find()),
];

function holdsFor(step: fc.Arbitrary<Step>, newModel: () => Model, numRuns: number): void {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), (taken) => {
      using model = newModel();
      for (const { take } of taken) {
        take(model);
        model.settle();
        model.check();
      }
      model.find();
      model.advance(TIMEOUT_MS);
      model.settle();
      for (const index of model.logs.keys()) for (let i = 0; i < 100; i++) model.read(index, 1);
      model.check();
      expect(model.readers.map(({ position }) => position)).toEqual(model.logs.map(({ length }) => length));
    }),
    { numRuns },
  );
}

test("a reader at read_committed sees all of a committed transaction and none of an aborted one, in order", () => {
  holdsFor(fc.oneof(...steps), () => new Model(), 200);
}, 120_000);

test("so it does when the broker is killed again and again and continues from its folder", () => {
  const kill = stepOf("kill", 3, fc.constant([]), (model) => model.kill());
  holdsFor(fc.oneof(...steps, kill), () => new Model(new TemporaryFolder()), 30);
}, 120_000);
