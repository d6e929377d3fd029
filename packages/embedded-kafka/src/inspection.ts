/** A look inside a running broker, for tests and tools: plain data, a copy of the moment. */
import type { Brokers, Coordinated } from "./cluster/brokers.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { isInternal } from "./cluster/internal-topics.ts";
import type { Topic } from "./cluster/topic.ts";
import { assignedPartitions } from "./coord/consumer-protocol.ts";
import type { Groups } from "./coord/groups.ts";
import type { TransactionState } from "./coord/transaction-states.ts";
import type { Transactions } from "./coord/transactions.ts";
import type { LoggedRecord } from "./log/partition-log.ts";
import type { BrokerServer } from "./server/broker-server.ts";

/** A partition, as its log is now. */
export interface PartitionInfo {
  readonly partition: number;
  /** -1 where all its brokers are stopped. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  /** Brokers that may lead it, by id. */
  readonly replicas: readonly number[];
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

/** A topic with its partitions. */
export interface TopicInfo {
  readonly name: string;
  /** As Kafka's tools print it. */
  readonly id: string;
  /** Settings of its own, by Kafka's names. */
  readonly configs: Readonly<Record<string, string>>;
  readonly partitions: readonly PartitionInfo[];
}

/** A record, where it lies, and what became of its transaction. */
export interface InspectedRecord extends LoggedRecord {
  readonly topic: string;
  readonly partition: number;
}

/** A consumer group, as its coordinator has it now. */
export interface GroupInfo {
  readonly groupId: string;
  /** The broker that coordinates it; null while none runs. */
  readonly coordinatorId: number | null;
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

/** A transactional id, as its coordinator has it now. */
export interface TransactionInfo {
  readonly transactionalId: string;
  /** The broker that coordinates it; null while none runs. */
  readonly coordinatorId: number | null;
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

/** One broker id. */
export interface NodeInfo {
  readonly id: number;
  readonly port: number;
  readonly isRunning: boolean;
  readonly connections: number;
  /** Partitions by topic that it leads. */
  readonly leads: Readonly<Record<string, readonly number[]>>;
}

/** A client's connection, as it is now. */
export interface ConnectionInfo {
  /** The broker that it is a connection to. */
  readonly brokerId: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly requests: number;
  /** Milliseconds since the epoch. */
  readonly lastUsedMs: number;
}

/** All topics but those that Apache Kafka's coordinators keep. */
function people(cluster: Cluster): readonly Topic[] {
  return cluster.topics.filter(({ name }) => !isInternal(name));
}

export function inspectTopics(cluster: Cluster): TopicInfo[] {
  return people(cluster).map((topic) => ({
    name: topic.name,
    id: topic.id,
    configs: Object.fromEntries(topic.overrides),
    partitions: topic.partitions.map(({ index, leaderId, leaderEpoch, replicas, log }) => ({
      partition: index,
      leaderId,
      leaderEpoch,
      replicas,
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

export function inspectNodes(servers: readonly BrokerServer[], cluster: Cluster): NodeInfo[] {
  return servers.map(({ node: { id }, port, isRunning, connections }) => {
    const led = people(cluster).map(({ name, partitions }): [string, number[]] => [
      name,
      partitions.filter(({ leaderId }) => leaderId === id).map(({ index }) => index),
    ]);
    const leads = Object.fromEntries(led.filter(([, partitions]) => partitions.length > 0));
    return { id, port, isRunning, connections: connections.length, leads };
  });
}

function coordinatorId(brokers: Brokers, kind: Coordinated, key: string): number | null {
  return brokers.coordinatorOf(kind, key)?.id ?? null;
}

export function inspectGroups(groups: Groups, brokers: Brokers): GroupInfo[] {
  return groups.all.map(({ classic, offsets }) => ({
    groupId: classic.groupId,
    coordinatorId: coordinatorId(brokers, "group", classic.groupId),
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

export function inspectTransactions(transactions: Transactions, brokers: Brokers): TransactionInfo[] {
  return transactions.all.map((held) => ({
    transactionalId: held.id,
    coordinatorId: coordinatorId(brokers, "transaction", held.id),
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

export function inspectConnections(servers: readonly BrokerServer[]): ConnectionInfo[] {
  return servers.flatMap(({ node, connections }) =>
    connections.map(({ clientId, clientHost, requests, lastUsedMs }) => ({
      brokerId: node.id,
      clientId,
      clientHost,
      requests,
      lastUsedMs,
    })),
  );
}
