/** OffsetCommit, versions 2 to 9. Version 10 brings topic ids. */
import { errorCode } from "../protocol/error-codes.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { coordinatedHandler } from "./coordinated.ts";

export const offsetCommitHandler = coordinatedHandler(
  offsetCommit,
  "group",
  ({ groupId }) => groupId,
  (context, request) => {
    const { groups, cluster, clock } = context;
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request;
    const isThere = (name: string, index: number) => cluster.partition(name, index) !== undefined;
    // The group is asked only about what is there: nothing else is a sign of life, or makes a group.
    const anyThere = request.topics.some(({ name, partitions }) =>
      partitions.some(({ partitionIndex }) => isThere(name, partitionIndex)),
    );
    const problem = anyThere
      ? problemFor(context.apiVersion, groups.mayCommit(groupId, memberId, groupInstanceId, generationId))
      : errorCode.none;
    // Called bytes, and counted in UTF-16 units.
    const maxMetadata = cluster.configs.brokerNumber("offset.metadata.max.bytes");
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => {
          const { partitionIndex } = partition;
          const metadata = partition.committedMetadata ?? "";
          if (!isThere(name, partitionIndex)) {
            return { partitionIndex, errorCode: errorCode.unknownTopicOrPartition };
          }
          if (problem !== errorCode.none) return { partitionIndex, errorCode: problem };
          if (metadata.length > maxMetadata) {
            return { partitionIndex, errorCode: errorCode.offsetMetadataTooLarge };
          }
          groups.commit(groupId, name, partitionIndex, {
            offset: partition.committedOffset,
            leaderEpoch: partition.committedLeaderEpoch,
            metadata,
            committedMs: clock.now(),
          });
          return { partitionIndex, errorCode: errorCode.none };
        }),
      })),
    };
  },
);

/** Below version 9 clients do not expect that a group is unknown (KIP-848). */
function problemFor(version: number, code: number): number {
  return code === errorCode.groupIdNotFound && version < 9 ? errorCode.illegalGeneration : code;
}
