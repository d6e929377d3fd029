/** ListOffsets, versions 1 to 10: where a partition begins and ends, and where a time begins in it. */
import type { Partition } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { handler, leadershipProblem, type RequestContext } from "./handler.ts";

/** Times that are none. -4 (earliest local) and -5 (latest tiered) are about tiered storage, which is not here. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;

/** The version of the request in which each of them came (KIP-79, KIP-734, KIP-405, KIP-1005). */
const SINCE: ReadonlyMap<number, number> = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
]);

const READ_COMMITTED = 1;
const UNKNOWN = { timestampMs: -1, offset: -1 };

type Request = RequestOf<typeof listOffsets>;
type Wanted = Request["topics"][number]["partitions"][number];

export const listOffsetsHandler = handler(listOffsets, (context, request) => ({
  topics: [...Map.groupBy(request.topics, ({ name }) => name)].map(([name, asked]) => {
    const byIndex = Map.groupBy(
      asked.flatMap(({ partitions }) => partitions),
      ({ partitionIndex }) => partitionIndex,
    );
    return {
      name,
      partitions: [...byIndex].map(([partitionIndex, [wanted, ...again]]) =>
        wanted === undefined || again.length > 0
          ? { partitionIndex, errorCode: errorCode.invalidRequest }
          : answer(context, name, wanted, request.isolationLevel),
      ),
    };
  }),
}));

function answer(context: RequestContext, name: string, wanted: Wanted, isolationLevel: number) {
  const { partitionIndex, currentLeaderEpoch, timestamp } = wanted;
  if (timestamp < 0 && context.apiVersion < (SINCE.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
    return { partitionIndex, errorCode: errorCode.unsupportedVersion };
  }
  const partition = context.cluster.partition(name, partitionIndex);
  if (partition === undefined) return { partitionIndex, errorCode: errorCode.unknownTopicOrPartition };
  const problem = leadershipProblem(partition, context.brokerId, currentLeaderEpoch);
  if (problem !== null) return { partitionIndex, errorCode: problem };
  const found = find(partition, timestamp, isolationLevel);
  return {
    partitionIndex,
    errorCode: errorCode.none,
    timestamp: found.timestampMs,
    offset: found.offset,
    leaderEpoch: found.offset < 0 ? -1 : partition.leaderEpoch,
  };
}

function find({ log }: Partition, timestamp: number, isolationLevel: number) {
  const end = isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark;
  switch (timestamp) {
    case LATEST:
      return { timestampMs: -1, offset: end };
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { timestampMs: -1, offset: log.logStartOffset };
    case LATEST_TIERED:
      return UNKNOWN;
    default: {
      const found = timestamp === MAX_TIMESTAMP ? log.withMaxTimestamp() : log.firstAtOrAfter(timestamp);
      return found === null || found.offset >= end ? UNKNOWN : found;
    }
  }
}
