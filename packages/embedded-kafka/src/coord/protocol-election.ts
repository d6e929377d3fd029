/** How a group agrees on one of the ways of sharing partitions that its members know. */
import type { ClassicMember, GroupProtocol } from "./classic-member.ts";

type Voter = Pick<ClassicMember, "protocols">;

function knows({ protocols }: Voter, name: string): boolean {
  return protocols.some((protocol) => protocol.name === name);
}

/** Whether all others know one of these ways. */
export function haveOneInCommon(protocols: readonly GroupProtocol[], others: readonly Voter[]): boolean {
  return protocols.some(({ name }) => others.every((other) => knows(other, name)));
}

/** The way that all members know and most of them prefer; on a tie, the first in the leader's order. */
export function electedProtocol(members: readonly Voter[], leader = members[0]): string | null {
  const common = (leader?.protocols ?? [])
    .map(({ name }) => name)
    .filter((name) => members.every((member) => knows(member, name)));
  const votes = new Map(common.map((name) => [name, 0]));
  for (const member of members) {
    const choice = member.protocols.find(({ name }) => votes.has(name))?.name;
    if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1);
  }
  let elected: string | null = null;
  for (const [name, count] of votes) {
    if (elected === null || count > (votes.get(elected) ?? 0)) elected = name;
  }
  return elected;
}
