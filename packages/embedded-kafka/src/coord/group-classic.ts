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
import { electedProtocol, haveOneInCommon } from "./protocol-election.ts";

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
  readonly #members = new Map<string, ClassicMember>();
  /** Member ids by group instance id. */
  readonly #static = new Map<string, string>();
  /** Ids that were given out and not yet used to join. */
  readonly #pending = new Map<string, Timer>();
  #state: ClassicState = "Empty";
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  #generationId = 0;
  #leaderId: string | null = null;
  #rebalance: Timer | null = null;
  /** Ends the wait for members that joined and then never asked for their assignment. */
  #syncDeadline: Timer | null = null;
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
    return this.#leaderId;
  }

  get members(): readonly ClassicMember[] {
    return [...this.#members.values()];
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
    const known = this.#members.has(request.memberId) || this.#pending.has(request.memberId);
    if (!known && this.#members.size >= this.#settings.maxSize) return errorCode.groupMaxSizeReached;
    if (request.memberId === "") return this.#joinAsUnknown(request, answer);
    return this.#joinAsKnown(request, answer);
  }

  /** Same type as the others and at least one way of sharing in common with all of them. */
  #accepts(request: JoinRequest): boolean {
    if (request.protocolType === "" || request.protocols.length === 0) return false;
    if (this.#members.size === 0) return true;
    if (request.protocolType !== this.#protocolType) return false;
    const others = this.members.filter((member) => member.memberId !== request.memberId);
    return haveOneInCommon(request.protocols, others);
  }

  #joinAsUnknown(request: JoinRequest, answer: (result: JoinResult) => void): number | null {
    const memberId = `${request.groupInstanceId ?? request.clientId}-${randomUUID()}`;
    if (request.groupInstanceId !== null) {
      const oldId = this.#static.get(request.groupInstanceId);
      const old = oldId === undefined ? undefined : this.#members.get(oldId);
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
    const problem = this.#identityProblem(request.memberId, request.groupInstanceId);
    if (problem !== null) return problem;
    const member = this.#members.get(request.memberId);
    if (member === undefined) return errorCode.unknownMemberId;
    const same = member.sameProtocols(request.protocols);
    const rejoins =
      this.#state === "PreparingRebalance" ||
      !same ||
      (this.#state === "Stable" && member.memberId === this.#leaderId);
    if (rejoins) this.#rejoin(member, request, answer);
    else answer(this.#currentGeneration(member));
    return null;
  }

  /** Whether a member is who it says: 82 for an instance id that another member took over, 25 for an unknown id. */
  #identityProblem(memberId: string, groupInstanceId: string | null): number | null {
    if (groupInstanceId === null) return this.#members.has(memberId) ? null : errorCode.unknownMemberId;
    const holder = this.#static.get(groupInstanceId);
    if (holder === undefined) return errorCode.unknownMemberId;
    return holder === memberId ? null : errorCode.fencedInstanceId;
  }

  #addAndRebalance(memberId: string, request: JoinRequest, answer: (result: JoinResult) => void): void {
    const member = new ClassicMember(memberId, request);
    if (this.#members.size === 0) this.#protocolType = request.protocolType;
    this.#members.set(memberId, member);
    if (member.groupInstanceId !== null) this.#static.set(member.groupInstanceId, memberId);
    this.#leaderId ??= memberId;
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
    const wasLeader = this.#leaderId === oldId;
    old.answerJoin(failedJoin(errorCode.fencedInstanceId, oldId));
    old.answerSync(failedSync(errorCode.fencedInstanceId));
    this.#stopSession(old);
    this.#members.delete(oldId);
    old.memberId = memberId;
    old.update(request);
    this.#members.set(memberId, old);
    this.#static.set(request.groupInstanceId ?? "", memberId);
    if (wasLeader) this.#leaderId = memberId;
    // As Apache Kafka has it: another subscription alone is kept for the next rebalance and starts none.
    if (this.#state === "Stable" && this.#electProtocol() === this.#protocolName) {
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
    const leads = member.memberId === this.#leaderId;
    return {
      errorCode: 0,
      memberId: member.memberId,
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.#leaderId ?? "",
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
    for (const member of this.#members.values()) {
      if (member.sync === null) continue;
      member.answerSync(failedSync(errorCode.rebalanceInProgress));
      this.#startSession(member);
    }
    this.#syncDeadline?.cancel();
    this.#syncDeadline = null;
    const wasEmpty = this.#state === "Empty";
    this.#state = "PreparingRebalance";
    const timeoutMs = this.#rebalanceTimeoutMs();
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
    this.#initialDelay = true;
    this.#rebalance = this.#clock.setTimer(delayMs, () => {
      const nextMs = Math.min(this.#settings.initialRebalanceDelayMs, leftMs);
      if (this.#newMemberSinceDelay && nextMs > 0) this.#delayInitial(nextMs, leftMs - nextMs);
      else this.#completeJoin();
    });
  }

  #initialDelay = false;

  #rebalanceTimeoutMs(): number {
    return this.members.reduce((longest, member) => Math.max(longest, member.rebalanceTimeoutMs), 0);
  }

  #completeJoinIfAll(): void {
    if (this.#state !== "PreparingRebalance" || this.#initialDelay || this.#pending.size > 0) return;
    for (const member of this.#members.values()) if (member.join === null) return;
    this.#completeJoin();
  }

  /** Everybody is there, or the time is up: who is missing is dropped, and a new generation begins. */
  #completeJoin(): void {
    this.#initialDelay = false;
    this.#rebalance?.cancel();
    this.#rebalance = null;
    for (const member of this.members) {
      if (member.join === null && member.groupInstanceId === null) this.#remove(member);
    }
    if (this.#members.size > 0 && !this.#leaderHasJoined()) {
      // Only static members, none of them back: wait for them, or for their sessions to end.
      this.#rebalance = this.#clock.setTimer(this.#rebalanceTimeoutMs(), () => this.#completeJoin());
      return;
    }
    this.#generationId += 1;
    if (this.#members.size === 0) {
      this.#becomeEmpty();
      return;
    }
    this.#protocolName = this.#electProtocol();
    this.#state = "CompletingRebalance";
    for (const member of this.#members.values()) {
      member.clearAssignment();
      const result = this.#currentGeneration(member);
      this.#startSession(member);
      member.answerJoin(result);
    }
    this.#syncDeadline = this.#clock.setTimer(this.#rebalanceTimeoutMs(), () => this.#dropUnsynced());
  }

  #leaderHasJoined(): boolean {
    const leader = this.#leaderId === null ? undefined : this.#members.get(this.#leaderId);
    if (leader !== undefined && leader.join !== null) return true;
    const joined = this.members.find((member) => member.join !== null);
    if (joined !== undefined) this.#leaderId = joined.memberId;
    return joined !== undefined;
  }

  #electProtocol(): string | null {
    const leader = this.#leaderId === null ? undefined : this.#members.get(this.#leaderId);
    return electedProtocol(this.members, leader);
  }

  #dropUnsynced(): void {
    this.#syncDeadline = null;
    if (this.#state !== "CompletingRebalance") return;
    for (const member of this.members) {
      if (member.sync === null) this.#remove(member);
    }
    this.#prepareRebalance();
  }

  #becomeEmpty(): void {
    this.#state = "Empty";
    this.#leaderId = null;
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
    const member = this.#members.get(request.memberId);
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
        member.sync = answer;
        if (member.memberId === this.#leaderId) this.#assign(request);
        return null;
      case "Stable":
        this.#startSession(member);
        answer(this.#assignmentOf(member));
        return null;
    }
  }

  #assign(request: SyncRequest): void {
    const assignments = new Map(request.assignments.map((a) => [a.memberId, a.assignment]));
    this.#state = "Stable";
    for (const member of this.#members.values()) {
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
    const member = this.#members.get(memberId);
    if (member === undefined) return errorCode.unknownMemberId;
    if (member.join === null && member.sync === null) this.#startSession(member);
    return this.#state === "PreparingRebalance" ? errorCode.rebalanceInProgress : errorCode.none;
  }

  /** The error of a member that is not in this generation under this id; null for one that is. */
  check(memberId: string, groupInstanceId: string | null, generationId: number): number | null {
    if (this.#state === "Dead") return errorCode.coordinatorNotAvailable;
    const problem = this.#identityProblem(memberId, groupInstanceId);
    if (problem !== null) return problem;
    return generationId === this.#generationId ? null : errorCode.illegalGeneration;
  }

  /** A commit is a sign of life. */
  touch(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member !== undefined && member.join === null && member.sync === null) this.#startSession(member);
  }

  leave(memberId: string, groupInstanceId: string | null): number {
    const pending = this.#pending.get(memberId);
    if (pending !== undefined && groupInstanceId === null) {
      pending.cancel();
      this.#pending.delete(memberId);
      this.#completeJoinIfAll();
      return errorCode.none;
    }
    // An administrator may remove a static member by its instance id alone (KIP-345).
    const id =
      memberId === "" && groupInstanceId !== null ? (this.#static.get(groupInstanceId) ?? "") : memberId;
    const problem = this.#identityProblem(id, groupInstanceId);
    const member = this.#members.get(id);
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
    if (this.#state === "PreparingRebalance") this.#completeJoinIfAll();
    else if (this.#state === "Stable" || this.#state === "CompletingRebalance") this.#prepareRebalance();
  }

  #remove(member: ClassicMember): void {
    this.#stopSession(member);
    this.#members.delete(member.memberId);
    if (member.groupInstanceId !== null) this.#static.delete(member.groupInstanceId);
    member.answerJoin(failedJoin(errorCode.unknownMemberId, member.memberId));
    member.answerSync(failedSync(errorCode.unknownMemberId));
    if (this.#leaderId !== member.memberId) return;
    const next = this.members.find((other) => other.join !== null) ?? this.members[0];
    this.#leaderId = next?.memberId ?? null;
  }

  /**
   * Another broker coordinates the group from now on, or none does. Who waits for an answer is told to look for it, and
   * all sessions begin anew there; where none is, no session ends.
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
    this.#syncDeadline?.cancel();
    for (const timer of this.#pending.values()) timer.cancel();
    this.#pending.clear();
    for (const member of this.members) this.#remove(member);
  }
}
