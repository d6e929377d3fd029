/** DescribeTopicPartitions, version 0 (KIP-966): topics in order of their names, some partitions at a time. */
import { isInternal } from "../cluster/internal-topics.ts";
import { NO_LEADER, replicasOf } from "../cluster/leadership.ts";
import type { Topic } from "../cluster/topic.ts";
import { topicNameProblem } from "../cluster/topic-name.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { describeTopicPartitions } from "../protocol/messages/describe-topic-partitions.ts";
import { type RequestOf, type ResponseOf, ZERO_UUID } from "../protocol/schema.ts";
import { topicOperations } from "./authorized-operations.ts";
import { handler, type RequestContext } from "./handler.ts";

type Request = RequestOf<typeof describeTopicPartitions>;
type Response = ResponseOf<typeof describeTopicPartitions>;

/** `max.request.partition.size.limit` */
const MOST_PARTITIONS = 2000;

export const describeTopicPartitionsHandler = handler(
  describeTopicPartitions,
  (context, request): Response => {
    const { cursor } = request;
    if (cursor !== null && !isWithin(cursor, request)) return refused(request);
    const answered: Response["topics"][number][] = [];
    let room = Math.min(Math.max(request.responsePartitionLimit, 1), MOST_PARTITIONS);
    for (const name of wantedNames(context, request)) {
      const topic = context.cluster.topic(name);
      if (topic === undefined) {
        answered.push({
          errorCode:
            topicNameProblem(name) === null ? errorCode.unknownTopicOrPartition : errorCode.invalidTopic,
          name,
          topicId: ZERO_UUID,
          partitions: [],
          topicAuthorizedOperations: topicOperations,
        });
        continue;
      }
      const from = cursor !== null && cursor.topicName === name ? cursor.partitionIndex : 0;
      if (room === 0) return { topics: answered, nextCursor: { topicName: name, partitionIndex: from } };
      const to = Math.min(from + room, topic.partitions.length);
      answered.push(describe(context, topic, from, to));
      room -= to - from;
      if (to < topic.partitions.length) {
        return { topics: answered, nextCursor: { topicName: name, partitionIndex: to } };
      }
    }
    return { topics: answered };
  },
);

/** A cursor is at a partition of a topic that is asked for. */
function isWithin(
  { topicName, partitionIndex }: NonNullable<Request["cursor"]>,
  { topics }: Request,
): boolean {
  return partitionIndex >= 0 && (topics.length === 0 || topics.some(({ name }) => name === topicName));
}

const refused = ({ topics }: Request): Response => ({
  topics: topics.map(({ name }) => ({
    errorCode: errorCode.invalidRequest,
    name,
    topicId: ZERO_UUID,
    partitions: [],
  })),
});

/** Sorted; all topics where none is named; from the cursor on. */
function wantedNames({ cluster }: RequestContext, { topics, cursor }: Request): string[] {
  const names = topics.length === 0 ? cluster.topics.map(({ name }) => name) : topics.map(({ name }) => name);
  return [...new Set(names)].sort().filter((name) => cursor === null || name >= cursor.topicName);
}

function describe(
  { cluster }: RequestContext,
  topic: Topic,
  from: number,
  to: number,
): Response["topics"][number] {
  return {
    errorCode: errorCode.none,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    partitions: topic.partitions.slice(from, to).map((partition) => ({
      errorCode: partition.leaderId === NO_LEADER ? errorCode.leaderNotAvailable : errorCode.none,
      partitionIndex: partition.index,
      leaderId: partition.leaderId,
      leaderEpoch: partition.leaderEpoch,
      ...replicasOf(partition, cluster.brokers),
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })),
    topicAuthorizedOperations: topicOperations,
  };
}
