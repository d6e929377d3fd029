/**
 * Random requests of transactional producers that fence each other, lie about who they are and send out of order, each in
 * a random version: the same script for any broker, so that the answers can be compared.
 */
import { between, chance } from "../faults/chance.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { endTxn } from "../protocol/messages/end-txn.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { txnOffsetCommit } from "../protocol/messages/txn-offset-commit.ts";
import { TRANSACTIONAL } from "../records/batch.ts";
import { batchOf, coordinatorReady, eventually, freshTopic, uniqueName } from "./cluster-under-test.ts";
import type { RawClient } from "./raw-client.ts";

const kinds = [
  "init",
  "add",
  "addGroup",
  "end",
  "commitInTransaction",
  "produce",
  "fetchOffsets",
  "commit",
  "ends",
  "delete",
] as const;
type Kind = (typeof kinds)[number];

/** How often each comes, and its first and last version. */
const chances: Readonly<Record<Kind, readonly [weight: number, first: number, last: number]>> = {
  init: [2, 0, 5],
  add: [3, 0, 3],
  addGroup: [1, 0, 4],
  end: [2, 0, 4],
  commitInTransaction: [2, 0, 4],
  produce: [4, 3, 11],
  fetchOffsets: [1, 1, 9],
  commit: [1, 2, 9],
  ends: [1, 2, 10],
  delete: [1, 0, 2],
};

export interface Step {
  readonly kind: Kind;
  readonly version: number;
  /** Which of three producers of one transactional id. */
  readonly producer: number;
  /** What the producer says its epoch is, besides the truth. */
  readonly epochOff: number;
  readonly sequenceOff: number;
  readonly isWrongId: boolean;
  readonly isWrongTransactionalId: boolean;
  /** A batch outside of any transaction. */
  readonly isPlain: boolean;
  /** InitProducerId: says who it was (KIP-360). */
  readonly continues: boolean;
  readonly committed: boolean;
  readonly requireStable: boolean;
  readonly isolationLevel: number;
  readonly partitions: readonly number[];
  readonly offset: number;
}

export function transactionScript(seed: number, length: number): Step[] {
  let asked = 0;
  const next = () => chance(seed, asked++);
  const within = (least: number, most: number) => between(next(), least, most);
  const bag = kinds.flatMap((kind) => Array.from({ length: chances[kind][0] }, () => kind));
  return Array.from({ length }, (_, index) => {
    const kind = index === 0 ? "init" : (bag[within(0, bag.length - 1)] ?? "init");
    const [, first, last] = chances[kind];
    const atEnd = next() < 0.5 ? first : last;
    const isHonest = next() < 0.9;
    return {
      kind,
      version: next() < 0.7 ? atEnd : within(first, last),
      producer: index === 0 || next() < 0.7 ? 0 : within(0, 2),
      epochOff: isHonest ? 0 : within(0, 1) * 2 - 1,
      sequenceOff: next() < 0.8 ? 0 : within(-1, 2),
      isWrongId: next() < 0.03,
      isWrongTransactionalId: next() < 0.03,
      // With another epoch a marker of Apache Kafka's would be refused for ever.
      isPlain: isHonest && next() < 0.08,
      continues: next() < 0.5,
      committed: next() < 0.6,
      requireStable: next() < 0.5,
      isolationLevel: within(0, 1),
      partitions: next() < 0.7 ? [within(0, 1)] : [0, 1],
      offset: within(0, 100),
    };
  });
}

/** A producer, as it knows itself. */
interface Slot {
  producerId: number;
  producerEpoch: number;
  /** The next sequence by partition. */
  readonly sequences: number[];
}

/** A real cluster asks to come again while a transaction ends in the background: the answer after that counts. */
const LATER: readonly number[] = [
  errorCode.concurrentTransactions,
  errorCode.notEnoughReplicas,
  errorCode.coordinatorNotAvailable,
  errorCode.coordinatorLoadInProgress,
  errorCode.notCoordinator,
];
const PARTITIONS = 2;
const WRONG_BY = 1_000_000;
const timeoutMs = 10_000;

/** Error codes, offsets and epochs that a script was answered with, one text for each step. */
export async function answersTo(client: RawClient, script: readonly Step[]): Promise<string[]> {
  const player = await Player.on(client);
  const answers: string[] = [];
  for (const step of script) answers.push(`${step.kind} ${step.version}: ${await player.play(step)}`);
  return answers;
}

class Player {
  readonly #client: RawClient;
  readonly #topic: string;
  readonly #transactionalId = uniqueName("script");
  readonly #groupId = uniqueName("script");
  readonly #slots: readonly Slot[] = Array.from({ length: 3 }, () => ({
    producerId: -1,
    producerEpoch: -1,
    sequences: Array.from({ length: PARTITIONS }, () => 0),
  }));
  /** Producer ids in order of appearance: which numbers they are is the broker's affair. */
  readonly #producerIds: number[] = [];

  private constructor(client: RawClient, topic: string) {
    this.#client = client;
    this.#topic = topic;
  }

  static async on(client: RawClient): Promise<Player> {
    const { name } = await freshTopic(client, { partitions: PARTITIONS });
    const player = new Player(client, name);
    await coordinatorReady(client, player.#groupId);
    await eventually("a transaction coordinator", async () => {
      const request = { keyType: 1, coordinatorKeys: [player.#transactionalId] };
      const { coordinators } = await client.send(findCoordinator, 4, request);
      return coordinators[0]?.errorCode === errorCode.none ? true : null;
    });
    return player;
  }

  play(step: Step): Promise<string> {
    switch (step.kind) {
      case "init":
        return this.#init(step);
      case "add":
        return this.#add(step);
      case "addGroup":
        return this.#addGroup(step);
      case "end":
        return this.#end(step);
      case "commitInTransaction":
        return this.#commitInTransaction(step);
      case "produce":
        return this.#produce(step);
      case "fetchOffsets":
        return this.#fetchOffsets(step);
      case "commit":
        return this.#commit(step);
      case "ends":
        return this.#ends(step);
      case "delete":
        return this.#delete(step);
    }
  }

  #slot({ producer }: Step): Slot {
    const slot = this.#slots[producer];
    if (slot === undefined) throw new RangeError(`there is no producer ${producer}`);
    return slot;
  }

  #identity(step: Step) {
    const { producerId, producerEpoch } = this.#slot(step);
    return {
      producerId: step.isWrongId ? producerId + WRONG_BY : producerId,
      producerEpoch: producerEpoch + step.epochOff,
    };
  }

  /** Asks until the answer's error is not one that goes away by itself. */
  #settled<T>(ask: () => Promise<T>, codeOf: (answer: T) => number | undefined): Promise<T> {
    return eventually("the end of a transaction", async () => {
      const answer = await ask();
      return LATER.includes(codeOf(answer) ?? 0) ? null : answer;
    });
  }

  async #init(step: Step): Promise<string> {
    const slot = this.#slot(step);
    const { producerId, producerEpoch } = slot;
    const known = step.continues && step.version >= 3 ? { producerId, producerEpoch } : {};
    const request = { transactionalId: this.#transactionalId, transactionTimeoutMs: 60_000, ...known };
    const answer = await this.#settled(
      () => this.#client.send(initProducerId, step.version, request),
      (one) => one.errorCode,
    );
    if (answer.errorCode !== errorCode.none) return `error ${answer.errorCode}`;
    if (producerId !== answer.producerId || producerEpoch !== answer.producerEpoch) slot.sequences.fill(0);
    slot.producerId = answer.producerId;
    slot.producerEpoch = answer.producerEpoch;
    if (!this.#producerIds.includes(answer.producerId)) this.#producerIds.push(answer.producerId);
    return `producer ${this.#producerIds.indexOf(answer.producerId)}, epoch ${answer.producerEpoch}`;
  }

  async #add(step: Step): Promise<string> {
    const { producerId, producerEpoch } = this.#identity(step);
    const id = this.#transactionalId;
    const request = {
      v3AndBelowTransactionalId: step.isWrongTransactionalId ? `${id}-not` : id,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: this.#topic, partitions: step.partitions }],
    };
    const { resultsByTopicV3AndBelow: topics } = await this.#settled(
      () => this.#client.send(addPartitionsToTxn, step.version, request),
      (one) => one.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode,
    );
    return sorted(topics[0]?.resultsByPartition, (one) => [one.partitionIndex, one.partitionErrorCode]);
  }

  async #addGroup(step: Step): Promise<string> {
    const request = {
      transactionalId: this.#transactionalId,
      ...this.#identity(step),
      groupId: this.#groupId,
    };
    const ask = () => this.#client.send(addOffsetsToTxn, step.version, request);
    return `error ${(await this.#settled(ask, (one) => one.errorCode)).errorCode}`;
  }

  async #end(step: Step): Promise<string> {
    const { committed } = step;
    const request = { transactionalId: this.#transactionalId, ...this.#identity(step), committed };
    const ask = () => this.#client.send(endTxn, step.version, request);
    const answer = await this.#settled(ask, (one) => one.errorCode);
    // The repeat is answered only once the markers are written.
    if (answer.errorCode === errorCode.none) await this.#settled(ask, (one) => one.errorCode);
    return `error ${answer.errorCode}`;
  }

  async #commitInTransaction(step: Step): Promise<string> {
    const request = {
      transactionalId: this.#transactionalId,
      groupId: this.#groupId,
      ...this.#identity(step),
      topics: this.#offsetIn(step),
    };
    const { topics } = await this.#settled(
      () => this.#client.send(txnOffsetCommit, step.version, request),
      (one) => one.topics[0]?.partitions[0]?.errorCode,
    );
    return `error ${topics[0]?.partitions[0]?.errorCode}`;
  }

  async #commit(step: Step): Promise<string> {
    const { topics } = await this.#client.send(offsetCommit, step.version, {
      groupId: this.#groupId,
      memberId: "",
      topics: this.#offsetIn(step),
    });
    return `error ${topics[0]?.partitions[0]?.errorCode}`;
  }

  #offsetIn({ partitions, offset }: Step) {
    const partitionIndex = partitions[0] ?? 0;
    const committed = { partitionIndex, committedOffset: offset, committedMetadata: "" };
    return [{ name: this.#topic, partitions: [committed] }];
  }

  async #produce(step: Step): Promise<string> {
    const slot = this.#slot(step);
    const index = step.partitions[0] ?? 0;
    const sequence = slot.sequences[index] ?? 0;
    const batch = batchOf(["value"], {
      ...this.#identity(step),
      baseSequence: Math.max(sequence + step.sequenceOff, 0),
      attributes: step.isPlain ? 0 : TRANSACTIONAL,
    });
    const request = {
      transactionalId: step.isPlain ? null : this.#transactionalId,
      acks: -1,
      timeoutMs,
      topicData: [{ name: this.#topic, partitionData: [{ index, records: [batch] }] }],
    };
    const { responses } = await this.#settled(
      () => this.#client.send(produce, step.version, request),
      (one) => one.responses[0]?.partitionResponses[0]?.errorCode,
    );
    const answer = responses[0]?.partitionResponses[0];
    const isNext = answer?.errorCode === errorCode.none && step.sequenceOff === 0;
    if (isNext) slot.sequences[index] = sequence + 1;
    return `error ${answer?.errorCode}, offset ${answer?.baseOffset}`;
  }

  async #fetchOffsets({ version, requireStable }: Step): Promise<string> {
    const topics = [{ name: this.#topic, partitionIndexes: [0, 1] }];
    const groupId = this.#groupId;
    const answer = await this.#client.send(offsetFetch, version, {
      ...(version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics }),
      requireStable: requireStable && version >= 7,
    });
    const found = version >= 8 ? answer.groups[0] : answer;
    const offsets = sorted(found?.topics[0]?.partitions, (one) => [
      one.partitionIndex,
      one.errorCode,
      one.committedOffset,
    ]);
    return `error ${found?.errorCode}, ${offsets}`;
  }

  async #ends({ version, isolationLevel }: Step): Promise<string> {
    const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }));
    const { topics } = await this.#client.send(listOffsets, version, {
      replicaId: -1,
      isolationLevel,
      topics: [{ name: this.#topic, partitions }],
    });
    return sorted(topics[0]?.partitions, (one) => [one.partitionIndex, one.errorCode, one.offset]);
  }

  async #delete({ version, partitions }: Step): Promise<string> {
    const partitionIndex = partitions[0] ?? 0;
    const { topics } = await this.#client.send(deleteRecords, version, {
      topics: [{ name: this.#topic, partitions: [{ partitionIndex, offset: -1 }] }],
      timeoutMs,
    });
    const answer = topics[0]?.partitions[0];
    return `error ${answer?.errorCode}, start ${answer?.lowWatermark}`;
  }
}

/** One text of a list whose order says nothing. */
function sorted<T>(all: readonly T[] | undefined, tell: (one: T) => readonly number[]): string {
  return (all ?? [])
    .map((one) => tell(one).join(" "))
    .sort()
    .join(", ");
}
