/** OffsetForLeaderEpoch, versions 2 to 4: where the records of a leader epoch end (KIP-320). */

import type { Partition } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import { handler, leadershipProblem } from "./handler.ts";

export const offsetForLeaderEpochHandler = handler(
  offsetForLeaderEpoch,
  ({ cluster, brokerId }, { topics }) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const partition = cluster.partition(topic, index);
        if (partition === undefined) {
          return { partition: index, errorCode: errorCode.unknownTopicOrPartition };
        }
        const problem = leadershipProblem(partition, brokerId, currentLeaderEpoch);
        if (problem !== null) return { partition: index, errorCode: problem };
        return { partition: index, errorCode: errorCode.none, ...endOfEpoch(partition, leaderEpoch) };
      }),
    })),
  }),
);

/** An epoch may have no records: it then ends where the last one before it does that has some. */
function endOfEpoch({ log, leaderEpoch: current }: Partition, epoch: number) {
  if (epoch === current) return { leaderEpoch: epoch, endOffset: log.highWatermark };
  for (let before = epoch; before >= 0 && epoch < current; before--) {
    const end = log.endOfEpoch(before);
    if (end.endOffset >= 0) return end;
  }
  return { leaderEpoch: -1, endOffset: -1 };
}
