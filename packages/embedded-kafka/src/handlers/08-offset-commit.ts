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
    const problem = problemFor(
      context.apiVersion,
      groups.mayCommit(groupId, memberId, groupInstanceId, generationId),
    );
    const maxMetadataBytes = cluster.configs.brokerNumber("offset.metadata.max.bytes");
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => {
          const { partitionIndex } = partition;
          const metadata = partition.committedMetadata ?? "";
          if (problem !== errorCode.none) return { partitionIndex, errorCode: problem };
          if (cluster.partition(name, partitionIndex) === undefined) {
            return { partitionIndex, errorCode: errorCode.unknownTopicOrPartition };
          }
          if (Buffer.byteLength(metadata) > maxMetadataBytes) {
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
