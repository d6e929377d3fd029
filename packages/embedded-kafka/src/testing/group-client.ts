/** A member of a classic consumer group that does one step at a time, as it is told. */
import { errorCode } from "../protocol/error-codes.ts";
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { joinGroup } from "../protocol/messages/join-group.ts";
import { leaveGroup } from "../protocol/messages/leave-group.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { Writer } from "../protocol/writer.ts";
import { connectToCluster } from "./cluster-under-test.ts";
import type { RawClient } from "./raw-client.ts";

/** A consumer's subscription, as Apache Kafka wants it to be; `mark` makes it differ from another one. */
export function subscription(topics: readonly string[] = [], mark = "subscription"): Buffer {
  const writer = new Writer();
  writer.int16(0);
  writer.int32(topics.length);
  for (const topic of topics) {
    writer.int16(topic.length);
    writer.utf8(topic, topic.length);
  }
  writer.int32(mark.length);
  writer.utf8(mark, mark.length);
  return writer.concat();
}

export interface MemberOptions {
  readonly protocolType?: string;
  readonly protocols?: readonly { readonly name: string; readonly metadata: Buffer }[];
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly groupInstanceId?: string | null;
}

export class GroupClient implements AsyncDisposable {
  readonly groupId: string;
  readonly client: RawClient;
  memberId = "";
  generationId = -1;
  readonly #options: MemberOptions;

  private constructor(groupId: string, client: RawClient, options: MemberOptions) {
    this.groupId = groupId;
    this.client = client;
    this.#options = options;
  }

  /** On a connection of its own, as a waiting JoinGroup holds up everything behind it. */
  static async of(groupId: string, options: MemberOptions = {}): Promise<GroupClient> {
    return new GroupClient(groupId, await connectToCluster("member"), options);
  }

  get groupInstanceId(): string | null {
    return this.#options.groupInstanceId ?? null;
  }

  /** One JoinGroup; a member id that it is given is kept. */
  async joinOnce(version = 9, change: MemberOptions = {}) {
    const options = { ...this.#options, ...change };
    const answer = await this.client.send(joinGroup, version, {
      groupId: this.groupId,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 10_000,
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      protocolType: options.protocolType ?? "consumer",
      protocols: options.protocols ?? [{ name: "range", metadata: subscription() }],
    });
    if (answer.memberId !== "") this.memberId = answer.memberId;
    if (answer.errorCode === errorCode.none) this.generationId = answer.generationId;
    return answer;
  }

  /** Joins, twice where a member id has to be fetched first. */
  async join(change: MemberOptions = {}) {
    const first = await this.joinOnce(9, change);
    return first.errorCode === errorCode.memberIdRequired ? this.joinOnce(9, change) : first;
  }

  sync(
    assignments: readonly { memberId: string; assignment: Buffer }[] = [],
    change: { protocolName?: string } = {},
  ) {
    return this.client.send(syncGroup, 5, {
      groupId: this.groupId,
      generationId: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      protocolType: "consumer",
      protocolName: change.protocolName ?? "range",
      assignments,
    });
  }

  async heartbeat(change: { generationId?: number; memberId?: string } = {}): Promise<number> {
    const answer = await this.client.send(heartbeat, 4, {
      groupId: this.groupId,
      generationId: change.generationId ?? this.generationId,
      memberId: change.memberId ?? this.memberId,
      groupInstanceId: this.groupInstanceId,
    });
    return answer.errorCode;
  }

  async commit(
    topic: string,
    committedOffset: number,
    change: { generationId?: number; memberId?: string; committedMetadata?: string; version?: number } = {},
  ) {
    const answer = await this.client.send(offsetCommit, change.version ?? 9, {
      groupId: this.groupId,
      generationIdOrMemberEpoch: change.generationId ?? this.generationId,
      memberId: change.memberId ?? this.memberId,
      groupInstanceId: this.groupInstanceId,
      topics: [
        {
          name: topic,
          partitions: [
            { partitionIndex: 0, committedOffset, committedMetadata: change.committedMetadata ?? null },
          ],
        },
      ],
    });
    return answer.topics[0]?.partitions[0]?.errorCode;
  }

  async leave() {
    const { errorCode: whole, members } = await this.client.send(leaveGroup, 5, {
      groupId: this.groupId,
      members: [{ memberId: this.memberId, groupInstanceId: this.groupInstanceId }],
    });
    return whole === errorCode.none ? members[0]?.errorCode : whole;
  }

  /** Ends the connection, as a crash does: the group is not told. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}
