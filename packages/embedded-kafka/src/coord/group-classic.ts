/**
 * A consumer group of the classic protocol: its members elect a leader, the leader assigns, the broker only keeps
 * them in step. https://kafka.apache.org/documentation/#impl_consumer
 *
 * Empty ─join─► PreparingRebalance ─all joined, or time is up─► CompletingRebalance ─the leader's sync─► Stable
 */
import { randomUUID } from "node:crypto";
import { errorCode } from "../protocol/error-codes.ts";
import type { Clock, Timer } from "../time/clock.ts";
import {
  ClassicMember,
  failedJoin,
  failedSync,
  type JoinRequest,
  type JoinResult,
  type SyncRequest,
  type SyncResult,
} from "./classic-member.ts";
import { GroupRoster } from "./group-roster.ts";
import { haveOneInCommon } from "./protocol-election.ts";

export type ClassicState = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable" | "Dead";

export interface ClassicGroupSettings {
  /** `group.initial.rebalance.delay.ms`: how long an empty group waits for more members than the first. */
  readonly initialRebalanceDelayMs: number;
  readonly maxSize: number;
}

export class ClassicGroup {
  readonly groupId: string;
  readonly #clock: Clock;
  readonly #settings: ClassicGroupSettings;
  readonly #roster = new GroupRoster();
  /** Ids that were given out and not yet used to join. */
  readonly #pending = new Map<string, Timer>();
  #state: ClassicState = "Empty";
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  #generationId = 0;
  #rebalance: Timer | null = null;
  /** Members that joined this generation and have not asked for their assignment; the deadline drops them. */
  readonly #unsynced = new Set<ClassicMember>();
  #syncDeadline: Timer | null = null;
  /** An empty group waits for more members than its first. */
  #isInitialDelay = false;
  #newMemberSinceDelay = false;
  #emptySinceMs: number;

  constructor(groupId: string, clock: Clock, settings: ClassicGroupSettings) {
    this.groupId = groupId;
    this.#clock = clock;
    this.#settings = settings;
    this.#emptySinceMs = clock.now();
  }

  get state(): ClassicState {
    return this.#state;
  }

  get protocolType(): string | null {
    return this.#protocolType;
  }

  get protocolName(): string | null {
    return this.#protocolName;
  }

  get generationId(): number {
    return this.#generationId;
  }

  get leaderId(): string | null {
    return this.#roster.leaderId;
  }

  get members(): readonly ClassicMember[] {
    return this.#roster.all;
  }

  /** When the last member left; only for an empty group. */
  get emptySinceMs(): number {
    return this.#emptySinceMs;
  }

  // ------------------------------------------------------------------ JoinGroup

  /** Resolves when the generation is complete, or at once with an error. */
  join(request: JoinRequest): Promise<JoinResult> {
    return new Promise((answer) => {
      const refused = this.#tryJoin(request, answer);
      if (refused !== null) answer(failedJoin(refused, request.memberId));
    });
  }

  #tryJoin(request: JoinRequest, answer: (result: JoinResult) => void): number | null {
    if (this.#state === "Dead") return errorCode.coordinatorNotAvailable;
    if (!this.#accepts(request)) return errorCode.inconsistentGroupProtocol;
    const known = this.#roster.has(request.memberId) || this.#pending.has(request.memberId);
    if (!known && this.#roster.size >= this.#settings.maxSize) return errorCode.groupMaxSizeReached;
    if (request.memberId === "") return this.#joinAsUnknown(request, answer);
    return this.#joinAsKnown(request, answer);
  }

  /** Same type as the others and at least one way of sharing in common with all of them. */
  #accepts(request: JoinRequest): boolean {
    if (request.protocolType === "" || request.protocols.length === 0) return false;
    if (this.#roster.size === 0) return true;
    if (request.protocolType !== this.#protocolType) return false;
    const others = this.members.filter((member) => member.memberId !== request.memberId);
    return haveOneInCommon(request.protocols, others);
  }

  #joinAsUnknown(request: JoinRequest, answer: (result: JoinResult) => void): number | null {
    const memberId = `${request.groupInstanceId ?? request.clientId}-${randomUUID()}`;
    if (request.groupInstanceId !== null) {
      const old = this.#roster.holderOf(request.groupInstanceId);
      if (old !== undefined) this.#replaceStatic(old, memberId, request, answer);
      else this.#addAndRebalance(memberId, request, answer);
      return null;
    }
    if (!request.needsMemberId) {
      this.#addAndRebalance(memberId, request, answer);
      return null;
    }
    const forget = () => {
      this.#pending.delete(memberId);
      this.#completeJoinIfAll();
    };
    this.#pending.set(memberId, this.#clock.setTimer(request.sessionTimeoutMs, forget));
    answer(failedJoin(errorCode.memberIdRequired, memberId));
    return null;
  }

  #joinAsKnown(request: JoinRequest, answer: (result: JoinResult) => void): number | null {
    const pending = this.#pending.get(request.memberId);
    if (pending !== undefined && request.groupInstanceId === null) {
      pending.cancel();
      this.#pending.delete(request.memberId);
      this.#addAndRebalance(request.memberId, request, answer);
      return null;
    }
    const problem = this.#roster.identityProblem(request.memberId, request.groupInstanceId);
    if (problem !== null) return problem;
    const member = this.#roster.get(request.memberId);
    if (member === undefined) return errorCode.unknownMemberId;
    const same = member.sameProtocols(request.protocols);
    const rejoins =
      this.#state === "PreparingRebalance" ||
      !same ||
      (this.#state === "Stable" && member.memberId === this.#roster.leaderId);
    if (rejoins) this.#rejoin(member, request, answer);
    else answer(this.#currentGeneration(member));
    return null;
  }

  #addAndRebalance(memberId: string, request: JoinRequest, answer: (result: JoinResult) => void): void {
    const member = new ClassicMember(memberId, request);
    if (this.#roster.size === 0) this.#protocolType = request.protocolType;
    this.#roster.add(member);
    member.join = answer;
    this.#newMemberSinceDelay = true;
    if (this.#state === "PreparingRebalance") this.#completeJoinIfAll();
    else this.#prepareRebalance();
  }

  #rejoin(member: ClassicMember, request: JoinRequest, answer: (result: JoinResult) => void): void {
    member.update(request);
    this.#stopSession(member);
    member.answerJoin(failedJoin(errorCode.unknownMemberId, member.memberId));
    member.join = answer;
    if (this.#state === "PreparingRebalance") this.#completeJoinIfAll();
    else this.#prepareRebalance();
  }

  /** A static member came back without its id: it takes its own old place under a new id (KIP-345). */
  #replaceStatic(
    old: ClassicMember,
    memberId: string,
    request: JoinRequest,
    answer: (result: JoinResult) => void,
  ): void {
    const oldId = old.memberId;
    const wasLeader = this.#roster.leaderId === oldId;
    old.answerJoin(failedJoin(errorCode.fencedInstanceId, oldId));
    old.answerSync(failedSync(errorCode.fencedInstanceId));
    this.#stopSession(old);
    this.#roster.rename(old, memberId, request);
    // As Apache Kafka has it: another subscription alone is kept for the next rebalance and starts none.
    if (this.#state === "Stable" && this.#roster.electProtocol() === this.#protocolName) {
      this.#startSession(old);
      const leaves = wasLeader && !request.canSkipAssignment;
      answer({
        ...this.#currentGeneration(old),
        // A leader that can't be told to skip the assignment is told that its old self leads.
        ...(leaves ? { leader: oldId, members: [] } : { skipAssignment: wasLeader }),
      });
      return;
    }
    old.join = answer;
    if (this.#state === "PreparingRebalance") this.#completeJoinIfAll();
    else this.#prepareRebalance();
  }

  #currentGeneration(member: ClassicMember): JoinResult {
    const leads = member.memberId === this.#roster.leaderId;
    return {
      errorCode: 0,
      memberId: member.memberId,
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.#roster.leaderId ?? "",
      skipAssignment: false,
      members: leads
        ? this.members.map((other) => ({
            memberId: other.memberId,
            groupInstanceId: other.groupInstanceId,
            metadata: other.metadata(this.#protocolName),
          }))
        : [],
    };
  }

  // ------------------------------------------------------------------ rebalance

  #prepareRebalance(): void {
    for (const member of this.members) {
      if (member.sync === null) continue;
      member.answerSync(failedSync(errorCode.rebalanceInProgress));
      this.#startSession(member);
    }
    this.#endSyncDeadline();
    const wasEmpty = this.#state === "Empty";
    this.#state = "PreparingRebalance";
    const timeoutMs = this.#roster.rebalanceTimeoutMs();
    const delayMs = Math.min(this.#settings.initialRebalanceDelayMs, timeoutMs);
    if (wasEmpty && delayMs > 0) {
      this.#delayInitial(delayMs, timeoutMs - delayMs);
      return;
    }
    if (wasEmpty) {
      // The first generation waits for time alone, also for nobody who was given an id and has not joined with it.
      this.#completeJoin();
      return;
    }
    this.#rebalance = this.#clock.setTimer(timeoutMs, () => this.#completeJoin());
    this.#completeJoinIfAll();
  }

  /** An empty group waits for more members, and again as long as new ones come, up to the rebalance timeout. */
  #delayInitial(delayMs: number, leftMs: number): void {
    this.#newMemberSinceDelay = false;
    this.#isInitialDelay = true;
    this.#rebalance = this.#clock.setTimer(delayMs, () => {
      const nextMs = Math.min(this.#settings.initialRebalanceDelayMs, leftMs);
      if (this.#newMemberSinceDelay && nextMs > 0) this.#delayInitial(nextMs, leftMs - nextMs);
      else this.#completeJoin();
    });
  }

  #completeJoinIfAll(): void {
    if (this.#state !== "PreparingRebalance" || this.#isInitialDelay || this.#pending.size > 0) return;
    for (const member of this.members) if (member.join === null) return;
    this.#completeJoin();
  }

  /** Everybody is there, or the time is up: who is missing is dropped, and a new generation begins. */
  #completeJoin(): void {
    this.#isInitialDelay = false;
    this.#rebalance?.cancel();
    this.#rebalance = null;
    for (const member of this.members) {
      if (member.join === null && member.groupInstanceId === null) this.#remove(member);
    }
    if (this.#roster.size > 0 && !this.#roster.electLeader()) {
      // Only static members, none of them back: wait for them, or for their sessions to end.
      this.#rebalance = this.#clock.setTimer(this.#roster.rebalanceTimeoutMs(), () => this.#completeJoin());
      return;
    }
    this.#generationId += 1;
    if (this.#roster.size === 0) {
      this.#becomeEmpty();
      return;
    }
    this.#protocolName = this.#roster.electProtocol();
    this.#state = "CompletingRebalance";
    for (const member of this.members) {
      member.clearAssignment();
      this.#unsynced.add(member);
      const result = this.#currentGeneration(member);
      this.#startSession(member);
      member.answerJoin(result);
    }
    this.#syncDeadline = this.#clock.setTimer(this.#roster.rebalanceTimeoutMs(), () => this.#dropUnsynced());
  }

  /** Who joined and has not asked for its assignment in time is dropped, also where the others have theirs. */
  #dropUnsynced(): void {
    for (const member of this.#unsynced) this.#remove(member);
    this.#prepareRebalance();
  }

  #hasSynced(member: ClassicMember): void {
    this.#unsynced.delete(member);
    if (this.#unsynced.size === 0) this.#endSyncDeadline();
  }

  #endSyncDeadline(): void {
    this.#syncDeadline?.cancel();
    this.#syncDeadline = null;
    this.#unsynced.clear();
  }

  #becomeEmpty(): void {
    this.#state = "Empty";
    this.#roster.noLeader();
    this.#protocolName = null;
    this.#emptySinceMs = this.#clock.now();
  }

  // ------------------------------------------------------------------ SyncGroup

  /** Resolves with the member's assignment when the leader has given it, or at once with an error. */
  sync(request: SyncRequest): Promise<SyncResult> {
    return new Promise((answer) => {
      const refused = this.#trySync(request, answer);
      if (refused !== null) answer(failedSync(refused));
    });
  }

  #trySync(request: SyncRequest, answer: (result: SyncResult) => void): number | null {
    const problem = this.check(request.memberId, request.groupInstanceId, request.generationId);
    if (problem !== null) return problem;
    const member = this.#roster.get(request.memberId);
    if (member === undefined) return errorCode.unknownMemberId;
    const otherType = request.protocolType !== null && request.protocolType !== this.#protocolType;
    const otherName = request.protocolName !== null && request.protocolName !== this.#protocolName;
    if (otherType || otherName) return errorCode.inconsistentGroupProtocol;
    switch (this.#state) {
      case "Empty":
      case "Dead":
        return errorCode.unknownMemberId;
      case "PreparingRebalance":
        return errorCode.rebalanceInProgress;
      case "CompletingRebalance":
        member.answerSync(failedSync(errorCode.rebalanceInProgress));
        this.#stopSession(member);
        this.#hasSynced(member);
        member.sync = answer;
        if (member.memberId === this.#roster.leaderId) this.#assign(request);
        return null;
      case "Stable":
        this.#startSession(member);
        this.#hasSynced(member);
        answer(this.#assignmentOf(member));
        return null;
    }
  }

  #assign(request: SyncRequest): void {
    const assignments = new Map(request.assignments.map((a) => [a.memberId, a.assignment]));
    this.#state = "Stable";
    for (const member of this.members) {
      member.assignment = Buffer.from(assignments.get(member.memberId) ?? []);
      if (member.sync === null) continue;
      this.#startSession(member);
      member.answerSync(this.#assignmentOf(member));
    }
  }

  #assignmentOf(member: ClassicMember): SyncResult {
    return {
      errorCode: 0,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    };
  }

  // ------------------------------------------------------------------ Heartbeat, LeaveGroup, checks

  heartbeat(memberId: string, groupInstanceId: string | null, generationId: number): number {
    const problem = this.check(memberId, groupInstanceId, generationId);
    if (problem !== null) return problem;
    const member = this.#roster.get(memberId);
    if (member === undefined) return errorCode.unknownMemberId;
    if (member.join === null && member.sync === null) this.#startSession(member);
    return this.#state === "PreparingRebalance" ? errorCode.rebalanceInProgress : errorCode.none;
  }

  /** The error of a member that is not in this generation under this id; null for one that is. */
  check(memberId: string, groupInstanceId: string | null, generationId: number): number | null {
    if (this.#state === "Dead") return errorCode.coordinatorNotAvailable;
    const problem = this.#roster.identityProblem(memberId, groupInstanceId);
    if (problem !== null) return problem;
    return generationId === this.#generationId ? null : errorCode.illegalGeneration;
  }

  /** A commit is a sign of life. */
  touch(memberId: string): void {
    const member = this.#roster.get(memberId);
    if (member !== undefined && member.join === null && member.sync === null) this.#startSession(member);
  }

  leave(memberId: string, groupInstanceId: string | null): number {
    const pending = this.#pending.get(memberId);
    if (pending !== undefined && groupInstanceId === null) {
      pending.cancel();
      this.#pending.delete(memberId);
      // As Apache Kafka has it: the others rejoin, though it was never one of them.
      this.#rebalanceWithout();
      return errorCode.none;
    }
    // An administrator may remove a static member by its instance id alone (KIP-345).
    const byInstance = memberId === "" && groupInstanceId !== null;
    const id = byInstance ? (this.#roster.holderOf(groupInstanceId)?.memberId ?? "") : memberId;
    const problem = this.#roster.identityProblem(id, groupInstanceId);
    const member = this.#roster.get(id);
    if (problem !== null || member === undefined) return problem ?? errorCode.unknownMemberId;
    this.#removeAndRebalance(member);
    return errorCode.none;
  }

  #startSession(member: ClassicMember): void {
    member.session?.cancel();
    member.session = this.#clock.setTimer(member.sessionTimeoutMs, () => this.#removeAndRebalance(member));
  }

  #stopSession(member: ClassicMember): void {
    member.session?.cancel();
    member.session = null;
  }

  #removeAndRebalance(member: ClassicMember): void {
    this.#remove(member);
    this.#rebalanceWithout();
  }

  #rebalanceWithout(): void {
    if (this.#state === "PreparingRebalance") this.#completeJoinIfAll();
    else if (this.#state === "Stable" || this.#state === "CompletingRebalance") this.#prepareRebalance();
  }

  #remove(member: ClassicMember): void {
    this.#stopSession(member);
    this.#roster.remove(member);
    this.#hasSynced(member);
    // It is nobody any more, and is told no id.
    member.answerJoin(failedJoin(errorCode.unknownMemberId, ""));
    member.answerSync(failedSync(errorCode.unknownMemberId));
  }

  /**
   * Another broker coordinates the group from now on, or none does. Who waits for an answer is told to look for it, and
   * all session timeouts restart there; where none is, no session ends.
   */
  coordinatorMoved(isCoordinated: boolean): void {
    for (const member of this.members) {
      member.answerJoin(failedJoin(errorCode.notCoordinator, member.memberId));
      member.answerSync(failedSync(errorCode.notCoordinator));
      if (isCoordinated) this.#startSession(member);
      else this.#stopSession(member);
    }
  }

  /** Ends the group: everybody who waits is answered, no timer is left. */
  close(): void {
    this.#state = "Dead";
    this.#rebalance?.cancel();
    this.#endSyncDeadline();
    for (const timer of this.#pending.values()) timer.cancel();
    this.#pending.clear();
    for (const member of this.members) this.#remove(member);
  }
}
