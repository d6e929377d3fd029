/** AddPartitionsToTxn, versions 0 to 3: all of the partitions, or none. */
import { errorCode } from "../protocol/error-codes.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { coordinatedHandler } from "./coordinated.ts";
import { fencedAsOf } from "./transaction-errors.ts";

export const addPartitionsToTxnHandler = coordinatedHandler(
  addPartitionsToTxn,
  "transaction",
  (request) => request.v3AndBelowTransactionalId,
  (context, request) => {
    const { apiVersion, cluster, transactions } = context;
    const topics = request.v3AndBelowTopics;
    const isThere = (topic: string, partition: number) => cluster.partition(topic, partition) !== undefined;
    const answer = (codeOf: (topic: string, partition: number) => number) => ({
      resultsByTopicV3AndBelow: topics.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({
          partitionIndex,
          partitionErrorCode: codeOf(name, partitionIndex),
        })),
      })),
    });
    if (!topics.every(({ name, partitions }) => partitions.every((partition) => isThere(name, partition)))) {
      return answer((topic, partition) =>
        isThere(topic, partition) ? errorCode.operationNotAttempted : errorCode.unknownTopicOrPartition,
      );
    }
    const producer = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
    };
    const code = fencedAsOf(apiVersion, 2, transactions.addPartitions(producer, topics));
    return answer(() => code);
  },
);
