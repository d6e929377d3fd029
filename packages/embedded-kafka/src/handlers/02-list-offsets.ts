/** ListOffsets, versions 1 to 10: where a partition begins and ends, and where a time begins in it. */
import type { Partition } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { handler, leadershipProblem } from "./handler.ts";

/** Times that are none. -4 (earliest local) and -5 (latest tiered) are about tiered storage, which is not here. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;

const READ_COMMITTED = 1;
const UNKNOWN = { timestampMs: -1, offset: -1 };

export const listOffsetsHandler = handler(listOffsets, (context, request) => ({
  topics: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) => {
      const partition = context.cluster.partition(name, partitionIndex);
      const problem =
        partition === undefined
          ? errorCode.unknownTopicOrPartition
          : leadershipProblem(partition, context.brokerId, currentLeaderEpoch);
      if (partition === undefined || problem !== null) {
        return { partitionIndex, errorCode: problem ?? errorCode.unknownTopicOrPartition };
      }
      const found = find(partition, timestamp, request.isolationLevel);
      return {
        partitionIndex,
        errorCode: errorCode.none,
        timestamp: found.timestampMs,
        offset: found.offset,
        leaderEpoch: found.offset < 0 ? -1 : partition.leaderEpoch,
      };
    }),
  })),
}));

function find({ log }: Partition, timestamp: number, isolationLevel: number) {
  const end = isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark;
  switch (timestamp) {
    case LATEST:
      return { timestampMs: -1, offset: end };
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { timestampMs: -1, offset: log.logStartOffset };
    default: {
      const found = timestamp === MAX_TIMESTAMP ? log.withMaxTimestamp() : firstAtOrAfter(log, timestamp);
      return found === null || found.offset >= end ? UNKNOWN : found;
    }
  }
}

function firstAtOrAfter(log: Partition["log"], timestamp: number) {
  return timestamp < 0 ? null : log.firstAtOrAfter(timestamp);
}
