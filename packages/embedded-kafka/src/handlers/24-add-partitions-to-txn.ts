/** AddPartitionsToTxn, versions 0 to 3: all of the partitions, or none. */
import { isInternal } from "../cluster/internal-topics.ts";
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
    const problemOf = (topic: string, partition: number) => {
      if (isInternal(topic)) return errorCode.topicAuthorizationFailed;
      return cluster.partition(topic, partition) === undefined ? errorCode.unknownTopicOrPartition : null;
    };
    const answer = (to: typeof topics, codeOf: (topic: string, partition: number) => number) => ({
      resultsByTopicV3AndBelow: to.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({
          partitionIndex,
          partitionErrorCode: codeOf(name, partitionIndex),
        })),
      })),
    });
    if (topics.some(({ name, partitions }) => partitions.some((index) => problemOf(name, index) !== null))) {
      const once = topics.map(({ name, partitions }) => ({ name, partitions: [...new Set(partitions)] }));
      return answer(once, (topic, index) => problemOf(topic, index) ?? errorCode.operationNotAttempted);
    }
    const producer = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
    };
    const code = fencedAsOf(apiVersion, 2, transactions.addPartitions(producer, topics));
    return answer(topics, () => code);
  },
);
