/** DeleteRecords, versions 0 to 2: moves the start of a partition up to an offset; -1 stands for the high watermark. */
import { isInternal } from "../cluster/internal-topics.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { handler, leadershipProblem } from "./handler.ts";

const NO_EPOCH = -1;
const HIGH_WATERMARK = -1;

export const deleteRecordsHandler = handler(deleteRecords, ({ cluster, brokerId }, { topics }) => ({
  topics: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset: asked }) => {
      if (isInternal(name)) return refused(partitionIndex, errorCode.invalidTopic);
      const partition = cluster.partition(name, partitionIndex);
      if (partition === undefined) return refused(partitionIndex, errorCode.unknownTopicOrPartition);
      const problem = leadershipProblem(partition, brokerId, NO_EPOCH);
      if (problem !== null) return refused(partitionIndex, problem);
      if (!partition.topic.deletesRecords) return refused(partitionIndex, errorCode.policyViolation);
      const { log } = partition;
      const offset = asked === HIGH_WATERMARK ? log.highWatermark : asked;
      if (offset < 0 || offset > log.highWatermark)
        return refused(partitionIndex, errorCode.offsetOutOfRange);
      log.deleteBefore(offset);
      return { partitionIndex, lowWatermark: log.logStartOffset, errorCode: errorCode.none };
    }),
  })),
}));

function refused(partitionIndex: number, code: number) {
  return { partitionIndex, lowWatermark: -1, errorCode: code };
}
