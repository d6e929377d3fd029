/** OffsetFetch, versions 1 to 9; from 8 on for several groups at once (KIP-709). Version 10 brings topic ids. */
import type { CommittedOffset } from "../coord/offsets.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { isCoordinator } from "./coordinated.ts";
import { handler, type RequestContext } from "./handler.ts";
import { refusalOf } from "./refusal.ts";

interface WantedTopic {
  readonly name: string;
  readonly partitionIndexes: readonly number[];
}

export const offsetFetchHandler = handler(offsetFetch, (context, request) => {
  const { requireStable } = request;
  if (context.apiVersion < 8) {
    if (!isCoordinator(context, "group", request.groupId)) {
      return refusalOf(offsetFetch, request, errorCode.notCoordinator, context.apiVersion);
    }
    return { topics: committed(context, request.groupId, request.topics, requireStable) };
  }
  return {
    groups: request.groups.map(({ groupId, topics }) =>
      isCoordinator(context, "group", groupId)
        ? { groupId, topics: committed(context, groupId, topics, requireStable) }
        : { groupId, topics: [], errorCode: errorCode.notCoordinator },
    ),
  };
});

/**
 * Of the named partitions, or with null of all that the group has. A reader that wants what is stable has to ask again
 * for a partition of which a transaction holds an offset back (KIP-447).
 */
function committed(
  { groups }: RequestContext,
  groupId: string,
  topics: readonly WantedTopic[] | null,
  requireStable: boolean,
) {
  const offsets = groups.get(groupId)?.offsets;
  const answer = (topic: string, index: number, offset: CommittedOffset | undefined) =>
    requireStable && offsets?.isPending(topic, index) ? unstable(index) : stable(index, offset);
  if (topics === null) {
    return [...(offsets?.all() ?? [])].map(([name, partitions]) => ({
      name,
      partitions: [...partitions].map(([index, offset]) => answer(name, index, offset)),
    }));
  }
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => answer(name, index, offsets?.get(name, index))),
  }));
}

/** -1 where nothing was committed. */
function stable(partitionIndex: number, committedOffset: CommittedOffset | undefined) {
  return {
    partitionIndex,
    committedOffset: committedOffset?.offset ?? -1,
    committedLeaderEpoch: committedOffset?.leaderEpoch ?? -1,
    metadata: committedOffset?.metadata ?? "",
    errorCode: errorCode.none,
  };
}

function unstable(partitionIndex: number) {
  return { ...stable(partitionIndex, undefined), errorCode: errorCode.unstableOffsetCommit };
}
