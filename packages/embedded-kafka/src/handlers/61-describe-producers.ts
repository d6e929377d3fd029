/** DescribeProducers, version 0 (KIP-664): who writes to a partition, and since where in a transaction. */
import { topicNameProblem } from "../cluster/topic-name.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { describeProducers } from "../protocol/messages/describe-producers.ts";
import { handler, leadershipProblem, type RequestContext } from "./handler.ts";

const NO_EPOCH = -1;

export const describeProducersHandler = handler(describeProducers, (context, { topics }) => ({
  topics: topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => describe(context, name, partitionIndex)),
  })),
}));

function describe({ cluster, brokerId }: RequestContext, topic: string, partitionIndex: number) {
  const partition = cluster.partition(topic, partitionIndex);
  if (partition === undefined) {
    const nameProblem = topicNameProblem(topic);
    return {
      partitionIndex,
      errorCode: nameProblem === null ? errorCode.unknownTopicOrPartition : errorCode.invalidTopic,
      errorMessage: nameProblem ?? "This server does not host this topic-partition.",
      activeProducers: [],
    };
  }
  const problem = leadershipProblem(partition, brokerId, NO_EPOCH);
  if (problem !== null) return { partitionIndex, errorCode: problem, activeProducers: [] };
  return {
    partitionIndex,
    errorCode: errorCode.none,
    activeProducers: [...partition.log.producers.all()].map((producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: producer.lastTimestampMs,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.transactionStartOffset,
    })),
  };
}
