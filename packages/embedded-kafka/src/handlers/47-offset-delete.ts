/** OffsetDelete, version 0: committed offsets of topics that the group does not read. */
import { errorCode } from "../protocol/error-codes.ts";
import { offsetDelete } from "../protocol/messages/offset-delete.ts";
import { coordinatedHandler } from "./coordinated.ts";

export const offsetDeleteHandler = coordinatedHandler(
  offsetDelete,
  "group",
  ({ groupId }) => groupId,
  ({ cluster, groups }, { groupId, topics }) => {
    if (groupId === "") return { errorCode: errorCode.invalidGroupId, topics: [] };
    const group = groups.get(groupId);
    if (group === undefined) return { errorCode: errorCode.groupIdNotFound, topics: [] };
    const { classic, offsets } = group;
    if (classic.state !== "Empty" && classic.protocolType !== "consumer") {
      return { errorCode: errorCode.nonEmptyGroup, topics: [] };
    }
    return {
      errorCode: errorCode.none,
      topics: topics.map(({ name, partitions }) => {
        const subscribed = groups.reads(group, name);
        return {
          name,
          partitions: partitions.map(({ partitionIndex }) => {
            if (cluster.partition(name, partitionIndex) === undefined) {
              return { partitionIndex, errorCode: errorCode.unknownTopicOrPartition };
            }
            if (subscribed) return { partitionIndex, errorCode: errorCode.groupSubscribedToTopic };
            offsets.delete(name, partitionIndex);
            return { partitionIndex, errorCode: errorCode.none };
          }),
        };
      }),
    };
  },
);
