/** Who is in a classic group, under which ids, and who leads it. */
import { errorCode } from "../protocol/error-codes.ts";
import type { ClassicMember, JoinRequest } from "./classic-member.ts";
import { electedProtocol } from "./protocol-election.ts";

export class GroupRoster {
  readonly #members = new Map<string, ClassicMember>();
  /** Member ids by group instance id. */
  readonly #static = new Map<string, string>();
  #leaderId: string | null = null;

  get size(): number {
    return this.#members.size;
  }

  get all(): readonly ClassicMember[] {
    return [...this.#members.values()];
  }

  get leaderId(): string | null {
    return this.#leaderId;
  }

  get(memberId: string): ClassicMember | undefined {
    return this.#members.get(memberId);
  }

  has(memberId: string): boolean {
    return this.#members.has(memberId);
  }

  /** The member that holds a group instance id (KIP-345). */
  holderOf(groupInstanceId: string): ClassicMember | undefined {
    return this.#members.get(this.#static.get(groupInstanceId) ?? "");
  }

  /** Whether a member is who it says: 82 for an instance id that another member took over, 25 for an unknown id. */
  identityProblem(memberId: string, groupInstanceId: string | null): number | null {
    if (groupInstanceId === null) return this.#members.has(memberId) ? null : errorCode.unknownMemberId;
    const holder = this.#static.get(groupInstanceId);
    if (holder === undefined) return errorCode.unknownMemberId;
    return holder === memberId ? null : errorCode.fencedInstanceId;
  }

  /** The first one leads. */
  add(member: ClassicMember): void {
    this.#members.set(member.memberId, member);
    if (member.groupInstanceId !== null) this.#static.set(member.groupInstanceId, member.memberId);
    this.#leaderId ??= member.memberId;
  }

  /** Where it led, one that waits to join leads from now on, or else the first. */
  remove(member: ClassicMember): void {
    this.#members.delete(member.memberId);
    if (member.groupInstanceId !== null) this.#static.delete(member.groupInstanceId);
    if (this.#leaderId !== member.memberId) return;
    const next = this.all.find((other) => other.join !== null) ?? this.all[0];
    this.#leaderId = next?.memberId ?? null;
  }

  /** A static member continues under another id, in its own old place. */
  rename(member: ClassicMember, memberId: string, request: JoinRequest): void {
    if (this.#leaderId === member.memberId) this.#leaderId = memberId;
    this.#members.delete(member.memberId);
    member.memberId = memberId;
    member.update(request);
    this.add(member);
  }

  /** Whether somebody who waits to join can lead; the leader stays if it can. */
  electLeader(): boolean {
    if (this.#leader?.join) return true;
    const joined = this.all.find((member) => member.join !== null);
    if (joined !== undefined) this.#leaderId = joined.memberId;
    return joined !== undefined;
  }

  noLeader(): void {
    this.#leaderId = null;
  }

  electProtocol(): string | null {
    return electedProtocol(this.all, this.#leader);
  }

  /** The longest that a member asks for. */
  rebalanceTimeoutMs(): number {
    return this.all.reduce((longest, member) => Math.max(longest, member.rebalanceTimeoutMs), 0);
  }

  get #leader(): ClassicMember | undefined {
    return this.#leaderId === null ? undefined : this.#members.get(this.#leaderId);
  }
}
