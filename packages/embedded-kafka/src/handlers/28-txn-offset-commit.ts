/**
 * TxnOffsetCommit, versions 0 to 4: offsets that are committed if the transaction is. From 3 on the group checks the
 * member and its generation (KIP-447).
 */
import { errorCode } from "../protocol/error-codes.ts";
import { txnOffsetCommit } from "../protocol/messages/txn-offset-commit.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { coordinatedHandler } from "./coordinated.ts";
import type { RequestContext } from "./handler.ts";

type Request = RequestOf<typeof txnOffsetCommit>;

export const txnOffsetCommitHandler = coordinatedHandler(
  txnOffsetCommit,
  "group",
  ({ groupId }) => groupId,
  (context, request) => {
    const { groups, cluster, clock } = context;
    const problem = problemOf(context, request);
    // Called bytes, and counted in UTF-16 units.
    const maxMetadata = cluster.configs.brokerNumber("offset.metadata.max.bytes");
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => {
          const { partitionIndex } = partition;
          const metadata = partition.committedMetadata ?? "";
          if (cluster.partition(name, partitionIndex) === undefined) {
            return { partitionIndex, errorCode: errorCode.unknownTopicOrPartition };
          }
          if (problem !== errorCode.none) return { partitionIndex, errorCode: problem };
          if (metadata.length > maxMetadata) {
            return { partitionIndex, errorCode: errorCode.offsetMetadataTooLarge };
          }
          groups.commitInTransaction(request.groupId, request.producerId, name, partitionIndex, {
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

function problemOf({ apiVersion, groups, transactions }: RequestContext, request: Request): number {
  const { groupId, memberId, groupInstanceId, generationId } = request;
  if (groupId === "") return errorCode.invalidGroupId;
  const code = transactions.verifyGroup(request, groupId);
  if (code === errorCode.producerFenced) return errorCode.invalidProducerEpoch;
  // Clients know the error that asks for an abort from version 4 on; before, only the fatal one.
  if (code === errorCode.transactionAbortable && apiVersion < 4) return errorCode.invalidTxnState;
  if (code !== errorCode.none) return code;
  return groups.mayCommitInTransaction(groupId, memberId, groupInstanceId, generationId);
}
