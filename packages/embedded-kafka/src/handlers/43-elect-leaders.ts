/**
 * ElectLeaders, versions 0 to 2 (KIP-460): partitions go back to the first of their brokers, or, with the unclean
 * election, to any that runs where they have no leader.
 */
import { changeLeader, electedLeader, NO_LEADER } from "../cluster/leadership.ts";
import type { Partition } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { electLeaders } from "../protocol/messages/elect-leaders.ts";
import { handler, type RequestContext } from "./handler.ts";

const PREFERRED = 0;
const UNCLEAN = 1;

interface Result {
  readonly partitionId: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export const electLeadersHandler = handler(electLeaders, (context, { electionType, topicPartitions }) => {
  if (electionType !== PREFERRED && electionType !== UNCLEAN) {
    const message = `Unknown election type ${electionType}`;
    const isNone = topicPartitions?.length === 0;
    return {
      errorCode: isNone ? errorCode.none : errorCode.invalidRequest,
      replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((index) => result(index, errorCode.invalidRequest, message)),
      })),
    };
  }
  const replicaElectionResults =
    topicPartitions === null
      ? context.cluster.topics.map(({ name, partitions }) => ({
          topic: name,
          // Of all partitions only those are named whose leader had to change.
          partitionResult: partitions
            .map((partition) => elect(context, partition, electionType))
            .filter((one) => one.errorCode !== errorCode.electionNotNeeded),
        }))
      : topicPartitions.map(({ topic, partitions }) => ({
          topic,
          partitionResult: partitions.map((index) => electNamed(context, topic, index, electionType)),
        }));
  return { errorCode: errorCode.none, replicaElectionResults };
});

function electNamed(context: RequestContext, name: string, index: number, type: number): Result {
  const { cluster } = context;
  if (cluster.topic(name) === undefined) {
    return result(index, errorCode.unknownTopicOrPartition, `No such topic as ${name}`);
  }
  const partition = cluster.partition(name, index);
  if (partition === undefined) {
    return result(index, errorCode.unknownTopicOrPartition, `No such partition as ${name}-${index}`);
  }
  return elect(context, partition, type);
}

function elect({ cluster: { brokers } }: RequestContext, partition: Partition, type: number): Result {
  const { index, leaderId, replicas } = partition;
  const preferred = replicas[0] ?? NO_LEADER;
  const isNeeded = type === PREFERRED ? leaderId !== preferred : leaderId === NO_LEADER;
  if (!isNeeded) {
    const message = "Leader election not needed for topic partition.";
    return result(index, errorCode.electionNotNeeded, message);
  }
  if (type === PREFERRED && !brokers.isRunning(preferred)) {
    const message = "The preferred leader was not available.";
    return result(index, errorCode.preferredLeaderNotAvailable, message);
  }
  const elected = type === PREFERRED ? preferred : electedLeader(partition, brokers);
  if (elected === NO_LEADER) {
    const message = "Eligible topic partition leaders are not available.";
    return result(index, errorCode.eligibleLeadersNotAvailable, message);
  }
  changeLeader(partition, elected);
  return result(index, errorCode.none, null);
}

function result(partitionId: number, code: number, errorMessage: string | null): Result {
  return { partitionId, errorCode: code, errorMessage };
}
