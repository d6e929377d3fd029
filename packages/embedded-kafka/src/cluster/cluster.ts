/** What all brokers of the process share: topics, settings, who is where. */
import { randomBytes } from "node:crypto";
import { errorCode } from "../protocol/error-codes.ts";
import { inMemory, type Keeping, type LogDir } from "../storage/keeping.ts";
import { numberIn, Saved, textIn } from "../storage/saved.ts";
import type { StateStore } from "../storage/state-store.ts";
import type { Clock } from "../time/clock.ts";
import { type BrokerNode, Brokers, COORDINATOR_SETS, type Coordinated } from "./brokers.ts";
import { type ConfigStore, topicConfigProblems } from "./config-store.ts";
import { internalTopicConfigs, internalTopicNames } from "./internal-topics.ts";
import { changeLeader, electedLeader, NO_LEADER } from "./leadership.ts";
import { type Partition, Topic } from "./topic.ts";
import { topicNameProblem } from "./topic-name.ts";

export interface NewTopic {
  readonly name: string;
  /** -1: the broker's default. */
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  /** Brokers of each partition; empty: the broker chooses. */
  readonly assignments: readonly { readonly partition: number; readonly brokerIds: readonly number[] }[];
  readonly configs: ReadonlyMap<string, string>;
  /** Only check. */
  readonly validateOnly: boolean;
}

/** What went wrong, as it is told to a client. */
export interface Refusal {
  readonly errorCode: number;
  readonly message: string;
}

export interface Creation {
  readonly errorCode: 0;
  readonly topicId: string;
  readonly replicas: readonly (readonly number[])[];
}

/** A topic's partitions are objects in memory: this many in one topic is a mistake. */
export const MOST_PARTITIONS = 10_000;

/** `offsets.topic.replication.factor` and its like, where there are so many brokers. */
const INTERNAL_COPIES = 3;

/** Where Apache Kafka's controllers keep what they know: never a topic for clients. */
const RAFT_LOG = "__cluster_metadata";

const PRODUCER_IDS_TOGETHER = 1000;

export function newUuid(): string {
  return randomBytes(16).toString("base64url");
}

export class Cluster {
  readonly clusterId: string;
  readonly configs: ConfigStore;
  readonly clock: Clock;
  readonly brokers: Brokers;
  readonly #topics = new Map<string, Topic>();
  readonly #topicsById = new Map<string, Topic>();
  readonly #deleted = new Set<(topic: Topic) => void>();
  readonly #keeping: Keeping;
  #nextProducerId = 0;
  /** Where the block of producer ids ends that was taken last. */
  #producerIdsEnd = 0;

  /**
   * @param keeping where the cluster is kept, and what it begins with.
   * @throws StorageError, DataFolderError
   */
  constructor(
    configs: ConfigStore,
    brokers: readonly BrokerNode[],
    clock: Clock,
    keeping: Keeping = inMemory,
  ) {
    this.configs = configs;
    this.brokers = new Brokers(brokers);
    this.clock = clock;
    this.#keeping = keeping;
    const { state } = keeping;
    const clusterId = state.get(["cluster"]);
    this.clusterId = typeof clusterId === "string" ? clusterId : newUuid();
    if (clusterId === undefined) state.put(["cluster"], this.clusterId);
    const producerIds = state.get(["producer ids"]);
    if (typeof producerIds === "number") this.#nextProducerId = this.#producerIdsEnd = producerIds;
    configs.restore(state);
    this.#restoreTopics();
  }

  #restoreTopics(): void {
    const { state } = this.#keeping;
    for (const entry of state.entries("topic")) {
      const saved = new Saved(entry);
      const configs = saved.textsByName("configs");
      const topic = new Topic(
        saved.text("name"),
        textIn(entry, 1),
        configs,
        this.configs,
        this.clock,
        this.#keeping,
      );
      this.#topics.set(topic.name, topic);
      this.#topicsById.set(topic.id, topic);
    }
    state.together(() => {
      const partitions = state.entries("partition");
      for (const entry of [...partitions].sort((a, b) => numberIn(a, 2) - numberIn(b, 2))) {
        const topic = this.#topicsById.get(textIn(entry, 1));
        const saved = new Saved(entry);
        const kept = saved
          .numbers("replicas")
          .filter((id) => this.brokers.all.some((node) => node.id === id));
        const replicas = kept.length > 0 ? kept : this.placeReplicas(numberIn(entry, 2), 1);
        // Every start is an election: a reader that was further than what is left can tell by the epoch (KIP-320).
        const leaderId = electedLeader({ replicas }, this.brokers);
        topic?.addPartition(replicas, leaderId, saved.number("leaderEpoch") + 1);
      }
    });
  }

  /** What the cluster's parts keep. */
  get state(): StateStore {
    return this.#keeping.state;
  }

  get logDir(): LogDir {
    return this.#keeping.logDir;
  }

  get controllerId(): number {
    return this.brokers.running[0]?.id ?? -1;
  }

  /** All topics by name. */
  get topics(): readonly Topic[] {
    return [...this.#topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  topicById(id: string): Topic | undefined {
    return this.#topicsById.get(id);
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#topics.get(topic)?.partitions[index];
  }

  /**
   * A producer id that was never given before. They are taken in blocks, as in Apache Kafka; what is left of a block is
   * lost with a restart.
   *
   * @throws StorageError
   */
  newProducerId(): number {
    if (this.#nextProducerId === this.#producerIdsEnd) {
      this.#keeping.state.put(["producer ids"], this.#producerIdsEnd + PRODUCER_IDS_TOGETHER);
      this.#producerIdsEnd += PRODUCER_IDS_TOGETHER;
    }
    return this.#nextProducerId++;
  }

  createTopic(wanted: NewTopic): Creation | Refusal {
    const problem = this.#nameProblem(wanted.name) ?? this.#shapeProblem(wanted);
    if (problem !== null) return problem;
    const configProblems = topicConfigProblems(wanted.configs);
    if (configProblems.length > 0) return refuse(errorCode.invalidConfig, configProblems.join("; "));
    const replicas = this.#replicas(wanted);
    if (wanted.validateOnly) return { errorCode: 0, topicId: newUuid(), replicas };
    const topic = new Topic(wanted.name, newUuid(), wanted.configs, this.configs, this.clock, this.#keeping);
    this.#keeping.state.together(() => {
      topic.save();
      for (const ids of replicas) this.addPartition(topic, ids);
    });
    this.#topics.set(topic.name, topic);
    this.#topicsById.set(topic.id, topic);
    return { errorCode: 0, topicId: topic.id, replicas };
  }

  /** Makes a topic that was asked for and is missing, in the shape that nobody gave. */
  autoCreateTopic(name: string, validateOnly = false): Creation | Refusal {
    const internal = internalTopicConfigs(name);
    return this.createTopic({
      name,
      partitions: internal === undefined ? -1 : COORDINATOR_SETS,
      replicationFactor: internal === undefined ? -1 : Math.min(INTERNAL_COPIES, this.brokers.all.length),
      assignments: [],
      configs: internal ?? new Map(),
      validateOnly,
    });
  }

  /** Makes the internal topic of a kind of coordinator where it is missing. */
  ensureInternalTopic(kind: Coordinated): void {
    const name = internalTopicNames[kind];
    if (!this.#topics.has(name)) this.autoCreateTopic(name);
  }

  #nameProblem(name: string): Refusal | null {
    const problem = topicNameProblem(name);
    if (problem !== null) return refuse(errorCode.invalidTopic, problem);
    if (name === RAFT_LOG) {
      return refuse(errorCode.invalidRequest, `Creation of internal topic ${name} is prohibited.`);
    }
    if (this.#topics.has(name)) {
      return refuse(errorCode.topicAlreadyExists, `Topic '${name}' already exists.`);
    }
    const clash = collisionKey(name);
    const other = [...this.#topics.keys()].find((existing) => collisionKey(existing) === clash);
    if (other === undefined) return null;
    return refuse(errorCode.invalidTopic, `Topic '${name}' collides with existing topic: ${other}`);
  }

  #shapeProblem(wanted: NewTopic): Refusal | null {
    if (wanted.assignments.length > 0) return this.#assignmentProblem(wanted);
    if (wanted.partitions !== -1 && wanted.partitions < 1) {
      return refuse(
        errorCode.invalidPartitions,
        "Number of partitions was set to an invalid non-positive value.",
      );
    }
    if (wanted.partitions > MOST_PARTITIONS) {
      return refuse(errorCode.policyViolation, `At most ${MOST_PARTITIONS} partitions, for one topic.`);
    }
    if (wanted.replicationFactor !== -1 && wanted.replicationFactor < 1) {
      return refuse(
        errorCode.invalidReplicationFactor,
        "Replication factor must be larger than 0, or -1 to use the default value.",
      );
    }
    if (wanted.replicationFactor > this.brokers.all.length) {
      return refuse(
        errorCode.invalidReplicationFactor,
        `Unable to replicate the partition ${wanted.replicationFactor} time(s): The target replication factor of ` +
          `${wanted.replicationFactor} cannot be reached because only ${this.brokers.all.length} broker(s) are registered.`,
      );
    }
    return null;
  }

  #assignmentProblem(wanted: NewTopic): Refusal | null {
    if (wanted.partitions !== -1 || wanted.replicationFactor !== -1) {
      return refuse(
        errorCode.invalidRequest,
        "A manual partition assignment was specified, but partitions or replication factor were not set to -1.",
      );
    }
    const sorted = [...wanted.assignments].sort((a, b) => a.partition - b.partition);
    const bad = sorted.find(({ partition }, index) => partition !== index);
    if (bad !== undefined) {
      return refuse(
        errorCode.invalidReplicaAssignment,
        "partitions should be a consecutive 0-based integer sequence",
      );
    }
    return this.replicaProblem(sorted.map(({ brokerIds }) => brokerIds));
  }

  /** Why a choice of brokers for partitions can't be; null where it can. */
  replicaProblem(replicas: readonly (readonly number[])[]): Refusal | null {
    for (const ids of replicas) {
      if (ids.length === 0)
        return refuse(
          errorCode.invalidReplicaAssignment,
          "The manual partition assignment includes an empty replica list.",
        );
      const twice = ids.find((id, index) => ids.indexOf(id) < index);
      if (twice !== undefined) {
        return refuse(
          errorCode.invalidReplicaAssignment,
          `The manual partition assignment includes the broker ${twice} more than once.`,
        );
      }
      const unknown = ids.find((id) => !this.brokers.has(id));
      if (unknown !== undefined) {
        return refuse(
          errorCode.invalidReplicaAssignment,
          `The manual partition assignment includes broker ${unknown}, but no such broker is registered.`,
        );
      }
    }
    return null;
  }

  #replicas(wanted: NewTopic): (readonly number[])[] {
    if (wanted.assignments.length > 0) {
      return [...wanted.assignments].sort((a, b) => a.partition - b.partition).map((a) => a.brokerIds);
    }
    const count = wanted.partitions === -1 ? this.configs.brokerNumber("num.partitions") : wanted.partitions;
    const copies =
      wanted.replicationFactor === -1
        ? Math.min(this.configs.brokerNumber("default.replication.factor"), this.brokers.all.length)
        : wanted.replicationFactor;
    return Array.from({ length: count }, (_, partition) => this.placeReplicas(partition, copies));
  }

  /** Brokers for a partition, in turn. */
  placeReplicas(partition: number, copies: number): number[] {
    const { all } = this.brokers;
    return Array.from(
      { length: copies },
      (_, copy) => all[(partition + copy) % all.length]?.id ?? this.controllerId,
    );
  }

  /** Adds a partition to a topic, led by the first of its brokers that runs. */
  addPartition(topic: Topic, replicas: readonly number[]): void {
    topic.addPartition(replicas, electedLeader({ replicas }, this.brokers));
  }

  /** Others of their brokers lead the partitions that a broker led; what it alone held has no leader. */
  brokerStopped(id: number): void {
    this.brokers.stopped(id);
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) {
        if (partition.leaderId === id) changeLeader(partition, electedLeader(partition, this.brokers));
      }
    }
  }

  /** A broker is back: it leads what nobody else could lead, and nothing more. */
  brokerStarted(id: number): void {
    this.brokers.started(id);
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) {
        if (partition.leaderId === NO_LEADER) changeLeader(partition, electedLeader(partition, this.brokers));
      }
    }
  }

  /** False where there is no such topic. */
  deleteTopic(name: string): boolean {
    const topic = this.#topics.get(name);
    if (topic === undefined) return false;
    topic.delete();
    this.#topics.delete(name);
    this.#topicsById.delete(topic.id);
    for (const tell of this.#deleted) tell(topic);
    return true;
  }

  /** Tells of every topic that is deleted. */
  onTopicDeleted(tell: (topic: Topic) => void): void {
    this.#deleted.add(tell);
  }

  /** Applies a change of a broker setting to every topic. */
  refreshConfigs(): void {
    for (const topic of this.#topics.values()) topic.refreshConfig();
  }

  /** Drops what is past its retention, and producers unused for `producer.id.expiration.ms`. */
  cleanUp(): void {
    const nowMs = this.clock.now();
    const unusedSinceMs = nowMs - this.configs.brokerNumber("producer.id.expiration.ms");
    for (const topic of this.#topics.values()) {
      for (const { log } of topic.partitions) {
        log.applyRetention(nowMs);
        log.producers.expire(unusedSinceMs);
      }
    }
  }
}

/** Metric names make no difference between `.` and `_`, so Kafka refuses names that differ in nothing else. */
function collisionKey(name: string): string {
  return name.replaceAll(".", "_");
}

function refuse(code: number, message: string): Refusal {
  return { errorCode: code, message };
}
