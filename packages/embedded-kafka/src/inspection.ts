/** A look inside a running broker, for tests and tools: plain data, a copy of the moment. */
import type { Cluster } from "./cluster/cluster.ts";
import { assignedPartitions } from "./coord/consumer-protocol.ts";
import type { Groups } from "./coord/groups.ts";
import type { TransactionState } from "./coord/transaction-states.ts";
import type { Transactions } from "./coord/transactions.ts";
import type { LoggedRecord } from "./log/partition-log.ts";
import type { Connection } from "./server/connection.ts";

export interface PartitionInfo {
  readonly partition: number;
  readonly leaderId: number;
  readonly logStartOffset: number;
  /** The offset that the next record gets. */
  readonly highWatermark: number;
  /** Where readers at read_committed stop: the first offset of the oldest open transaction. */
  readonly lastStableOffset: number;
  readonly batches: number;
  readonly segments: number;
  readonly bytes: number;
  /** Fetch requests that wait for something to happen here. */
  readonly waitingFetches: number;
}

export interface TopicInfo {
  readonly name: string;
  /** As Kafka's tools print it. */
  readonly id: string;
  /** Settings of its own, by Kafka's names. */
  readonly configs: Readonly<Record<string, string>>;
  readonly partitions: readonly PartitionInfo[];
}

export interface InspectedRecord extends LoggedRecord {
  readonly topic: string;
  readonly partition: number;
}

export interface GroupInfo {
  readonly groupId: string;
  readonly state: string;
  readonly protocolType: string | null;
  readonly generationId: number;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly clientHost: string;
    readonly leader: boolean;
    /** Partitions by topic; null where the group is not one of consumers. */
    readonly assignment: Readonly<Record<string, readonly number[]>> | null;
  }[];
  readonly offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly metadata: string;
  }[];
  /** Offsets of transactions that are not over. */
  readonly pendingOffsets: readonly {
    readonly producerId: number;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly metadata: string;
  }[];
}

export interface TransactionInfo {
  readonly transactionalId: string;
  readonly state: TransactionState;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** Milliseconds since the epoch; null before the producer's first transaction. */
  readonly startedMs: number | null;
  /** Partitions by topic that are part of the open transaction. */
  readonly partitions: Readonly<Record<string, readonly number[]>>;
  /** Groups whose offsets are part of it. */
  readonly groups: readonly string[];
}

export interface ConnectionInfo {
  readonly clientId: string;
  readonly clientHost: string;
  readonly requests: number;
  /** Milliseconds since the epoch. */
  readonly lastUsedMs: number;
}

export function inspectTopics(cluster: Cluster): TopicInfo[] {
  return cluster.topics.map((topic) => ({
    name: topic.name,
    id: topic.id,
    configs: Object.fromEntries(topic.overrides),
    partitions: topic.partitions.map(({ index, leaderId, log }) => ({
      partition: index,
      leaderId,
      logStartOffset: log.logStartOffset,
      highWatermark: log.highWatermark,
      lastStableOffset: log.lastStableOffset,
      batches: log.batchCount,
      segments: log.segmentCount,
      bytes: log.bytes,
      waitingFetches: log.waiting,
    })),
  }));
}

/** Decompressed and decoded, partition by partition; nothing where the topic does not exist. */
export function* inspectRecords(
  cluster: Cluster,
  topic: string,
  partition?: number,
): Generator<InspectedRecord> {
  for (const { index, log } of cluster.topic(topic)?.partitions ?? []) {
    if (partition !== undefined && partition !== index) continue;
    for (const record of log.records()) yield { topic, partition: index, ...record };
  }
}

export function inspectGroups(groups: Groups): GroupInfo[] {
  return groups.all.map(({ classic, offsets }) => ({
    groupId: classic.groupId,
    state: classic.state,
    protocolType: classic.protocolType,
    generationId: classic.generationId,
    members: classic.members.map((member) => {
      const assigned = assignedPartitions(member.assignment);
      return {
        memberId: member.memberId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        leader: member.memberId === classic.leaderId,
        assignment: assigned === null ? null : Object.fromEntries(assigned),
      };
    }),
    offsets: [...offsets.all()].flatMap(([topic, partitions]) =>
      [...partitions].map(([partition, { offset, metadata }]) => ({ topic, partition, offset, metadata })),
    ),
    pendingOffsets: [...offsets.pending()].map(({ offset: { offset, metadata }, ...of }) => ({
      ...of,
      offset,
      metadata,
    })),
  }));
}

export function inspectTransactions(transactions: Transactions): TransactionInfo[] {
  return transactions.all.map((held) => ({
    transactionalId: held.id,
    state: held.state,
    producerId: held.producerId,
    producerEpoch: held.producerEpoch,
    timeoutMs: held.timeoutMs,
    startedMs: held.startedMs < 0 ? null : held.startedMs,
    partitions: Object.fromEntries(
      [...held.partitions].map(([topic, partitions]) => [topic, [...partitions].sort((a, b) => a - b)]),
    ),
    groups: [...held.groups],
  }));
}

export function inspectConnections(connections: Iterable<Connection>): ConnectionInfo[] {
  return [...connections].map(({ clientId, clientHost, requests, lastUsedMs }) => ({
    clientId,
    clientHost,
    requests,
    lastUsedMs,
  }));
}
