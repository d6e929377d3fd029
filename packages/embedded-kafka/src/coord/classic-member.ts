/** A member of a classic consumer group, and what the group answers it. */
import type { Timer } from "../time/clock.ts";

/** A way of sharing partitions that a member knows, with its subscription in that way's own bytes. */
export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinRequest {
  readonly memberId: string;
  /** Static membership (KIP-345). */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly GroupProtocol[];
  /** From JoinGroup version 4 on a member without an id gets one first, and joins with it (KIP-394). */
  readonly needsMemberId: boolean;
  /** From version 9 on a leader can be told to leave the assignment alone (KIP-814). */
  readonly canSkipAssignment: boolean;
}

export interface JoinResult {
  readonly errorCode: number;
  readonly memberId: string;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment: boolean;
  /** For the leader alone. */
  readonly members: readonly { memberId: string; groupInstanceId: string | null; metadata: Buffer }[];
}

export interface SyncRequest {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
  /** Null in versions that do not say. */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
}

export interface SyncResult {
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

const NO_ASSIGNMENT = Buffer.alloc(0);

export class ClassicMember {
  readonly groupInstanceId: string | null;
  memberId: string;
  clientId: string;
  clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly GroupProtocol[];
  assignment: Buffer = NO_ASSIGNMENT;
  /** Set while its JoinGroup waits for the others. */
  join: ((result: JoinResult) => void) | null = null;
  /** Set while its SyncGroup waits for the leader. */
  sync: ((result: SyncResult) => void) | null = null;
  session: Timer | null = null;

  constructor(memberId: string, request: JoinRequest) {
    this.memberId = memberId;
    this.groupInstanceId = request.groupInstanceId;
    this.clientId = request.clientId;
    this.clientHost = request.clientHost;
    this.sessionTimeoutMs = request.sessionTimeoutMs;
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    this.protocols = request.protocols;
  }

  /** Takes over what a member says when it joins again. */
  update(request: JoinRequest): void {
    this.clientId = request.clientId;
    this.clientHost = request.clientHost;
    this.sessionTimeoutMs = request.sessionTimeoutMs;
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    this.protocols = request.protocols;
  }

  metadata(protocolName: string | null): Buffer {
    return this.protocols.find((protocol) => protocol.name === protocolName)?.metadata ?? NO_ASSIGNMENT;
  }

  /** Same ways in the same order with the same subscriptions. */
  sameProtocols(others: readonly GroupProtocol[]): boolean {
    return (
      others.length === this.protocols.length &&
      others.every((other, index) => {
        const own = this.protocols[index];
        return own !== undefined && own.name === other.name && own.metadata.equals(other.metadata);
      })
    );
  }

  clearAssignment(): void {
    this.assignment = NO_ASSIGNMENT;
  }

  /** Answers the waiting JoinGroup, if there is one. */
  answerJoin(result: JoinResult): void {
    const answer = this.join;
    this.join = null;
    answer?.(result);
  }

  /** Answers the waiting SyncGroup, if there is one. */
  answerSync(result: SyncResult): void {
    const answer = this.sync;
    this.sync = null;
    answer?.(result);
  }
}

export function failedJoin(code: number, memberId: string): JoinResult {
  return {
    errorCode: code,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: "",
    skipAssignment: false,
    members: [],
  };
}

export function failedSync(code: number): SyncResult {
  return { errorCode: code, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT };
}
