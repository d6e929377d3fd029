/** All groups of the cluster: members in one hand, committed offsets in the other. */
import type { Cluster } from "../cluster/cluster.ts";
import { internalTopicNames } from "../cluster/internal-topics.ts";
import { errorCode } from "../protocol/error-codes.ts";
import {
  failedJoin,
  failedSync,
  type JoinRequest,
  type JoinResult,
  type SyncRequest,
  type SyncResult,
} from "./classic-member.ts";
import { subscribedTopics } from "./consumer-protocol.ts";
import { ClassicGroup } from "./group-classic.ts";
import { keptOffsets, offsetKeeper } from "./offset-state.ts";
import { type CommittedOffset, CommittedOffsets } from "./offsets.ts";

export interface Group {
  readonly classic: ClassicGroup;
  readonly offsets: CommittedOffsets;
}

export class Groups {
  readonly #cluster: Cluster;
  readonly #groups = new Map<string, Group>();

  /**
   * Begins with the offsets that were kept. Memberships are not: after a restart all members rejoin.
   *
   * @throws DataFolderError
   */
  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    for (const { groupId, topic, partition, offset, order, producerId } of keptOffsets(cluster.state)) {
      const { offsets } = this.#getOrCreate(groupId);
      if (producerId === null) offsets.restore(topic, partition, offset, order);
      else offsets.restorePending(producerId, topic, partition, offset, order);
      // The process may have ended between the end of the topic and that of its offsets.
      if (cluster.topic(topic) === undefined) offsets.deleteTopic(topic);
    }
    cluster.onTopicDeleted((topic) => {
      if (topic.name === internalTopicNames.group) {
        // Apache Kafka keeps the groups there, and nowhere else.
        for (const group of this.all) this.#forget(group);
        return;
      }
      for (const group of this.#groups.values()) group.offsets.deleteTopic(topic.name);
    });
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId);
  }

  get all(): readonly Group[] {
    return [...this.#groups.values()];
  }

  #getOrCreate(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      const { clock, configs } = this.#cluster;
      const classic = new ClassicGroup(groupId, clock, {
        initialRebalanceDelayMs: configs.brokerNumber("group.initial.rebalance.delay.ms"),
        maxSize: configs.brokerNumber("group.max.size"),
      });
      group = { classic, offsets: new CommittedOffsets(offsetKeeper(this.#cluster.state, groupId)) };
      this.#groups.set(groupId, group);
    }
    return group;
  }

  async join(groupId: string, request: JoinRequest): Promise<JoinResult> {
    if (groupId === "") return failedJoin(errorCode.invalidGroupId, request.memberId);
    const { configs } = this.#cluster;
    if (
      request.sessionTimeoutMs < configs.brokerNumber("group.min.session.timeout.ms") ||
      request.sessionTimeoutMs > configs.brokerNumber("group.max.session.timeout.ms")
    ) {
      return failedJoin(errorCode.invalidSessionTimeout, request.memberId);
    }
    if (request.memberId !== "" && !this.#groups.has(groupId)) {
      return failedJoin(errorCode.unknownMemberId, request.memberId);
    }
    return this.#getOrCreate(groupId).classic.join(request);
  }

  async sync(groupId: string, request: SyncRequest): Promise<SyncResult> {
    if (groupId === "") return failedSync(errorCode.invalidGroupId);
    const group = this.#groups.get(groupId);
    return group === undefined ? failedSync(errorCode.unknownMemberId) : group.classic.sync(request);
  }

  heartbeat(groupId: string, memberId: string, instanceId: string | null, generationId: number): number {
    if (groupId === "") return errorCode.invalidGroupId;
    const group = this.#groups.get(groupId);
    return group?.classic.heartbeat(memberId, instanceId, generationId) ?? errorCode.unknownMemberId;
  }

  leave(groupId: string, memberId: string, instanceId: string | null): number {
    return this.#groups.get(groupId)?.classic.leave(memberId, instanceId) ?? errorCode.unknownMemberId;
  }

  /**
   * Whether a member may commit, or with generation -1 anybody to a group without members, whoever it says it is; 0 if so.
   * Makes the group where such a one is the first to commit. The empty name is one as any, as nobody can join by it.
   */
  mayCommit(groupId: string, memberId: string, instanceId: string | null, generationId: number): number {
    const group = this.#groups.get(groupId);
    if (group === undefined) {
      if (generationId >= 0) return errorCode.groupIdNotFound;
      this.#getOrCreate(groupId);
      return errorCode.none;
    }
    if (generationId < 0 && group.classic.state === "Empty") return errorCode.none;
    if (generationId < 0 && memberId === "" && instanceId === null) return errorCode.unknownMemberId;
    const problem = group.classic.check(memberId, instanceId, generationId);
    if (problem !== null) return problem;
    group.classic.touch(memberId);
    return group.classic.state === "CompletingRebalance" ? errorCode.rebalanceInProgress : errorCode.none;
  }

  /**
   * Whether offsets may be committed in a transaction; 0 if so. A client that says nothing of a membership may, also
   * where there are members: its transaction fences it, not its generation (KIP-447).
   */
  mayCommitInTransaction(
    groupId: string,
    memberId: string,
    instanceId: string | null,
    generationId: number,
  ): number {
    if (groupId === "") return errorCode.invalidGroupId;
    const group = this.#groups.get(groupId);
    if (group === undefined) {
      if (generationId >= 0) return errorCode.illegalGeneration;
      this.#getOrCreate(groupId);
      return errorCode.none;
    }
    const { classic } = group;
    const isMember = generationId >= 0 || memberId !== "" || instanceId !== null;
    if (!isMember || (generationId < 0 && classic.state === "Empty")) return errorCode.none;
    return classic.check(memberId, instanceId, generationId) ?? errorCode.none;
  }

  /** Holds an offset back until the producer's transaction ends. */
  commitInTransaction(
    groupId: string,
    producerId: number,
    topic: string,
    partition: number,
    offset: CommittedOffset,
  ): void {
    this.#getOrCreate(groupId).offsets.setPending(producerId, topic, partition, offset);
  }

  /** Applies what a producer's transaction held back, or drops it. */
  endTransaction(groupId: string, producerId: number, committed: boolean): void {
    this.#groups.get(groupId)?.offsets.endTransaction(producerId, committed);
  }

  commit(groupId: string, topic: string, partition: number, offset: CommittedOffset): void {
    this.#getOrCreate(groupId).offsets.set(topic, partition, offset);
  }

  /** Forgets an empty group; its error otherwise. */
  delete(groupId: string): number {
    const group = this.#groups.get(groupId);
    if (group === undefined) return errorCode.groupIdNotFound;
    if (group.classic.state !== "Empty") return errorCode.nonEmptyGroup;
    this.#forget(group);
    return errorCode.none;
  }

  #forget(group: Group): void {
    group.offsets.clear();
    group.classic.close();
    this.#groups.delete(group.classic.groupId);
  }

  /** Whether a member of the group reads a topic. */
  reads(group: Group, topic: string): boolean {
    return group.classic.members.some((member) =>
      member.protocols.some(({ metadata }) => subscribedTopics(metadata)?.includes(topic) ?? false),
    );
  }

  /** Drops offsets that are past `offsets.retention.minutes`, and empty groups that have none left. */
  cleanUp(): void {
    const nowMs = this.#cluster.clock.now();
    const retentionMs = this.#cluster.configs.brokerNumber("offsets.retention.minutes") * 60_000;
    for (const group of this.#groups.values()) {
      const { classic, offsets } = group;
      if (classic.state !== "Empty") continue;
      if (classic.emptySinceMs < nowMs - retentionMs) offsets.expire(nowMs - retentionMs, () => false);
      if (offsets.empty) this.#forget(group);
    }
  }

  /** Does something that may change coordinators, and tells the groups whose coordinator did change. */
  whileCoordinatorsMove(change: () => void): void {
    const { brokers } = this.#cluster;
    const coordinatorOf = (groupId: string) => brokers.coordinatorOf("group", groupId)?.id;
    const before = new Map([...this.#groups.keys()].map((groupId) => [groupId, coordinatorOf(groupId)]));
    change();
    for (const [groupId, { classic }] of this.#groups) {
      const now = coordinatorOf(groupId);
      if (now !== before.get(groupId)) classic.coordinatorMoved(now !== undefined);
    }
  }

  close(): void {
    for (const group of this.#groups.values()) group.classic.close();
  }
}
