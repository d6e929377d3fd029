/** OffsetForLeaderEpoch, versions 2 to 4: where the records of a leader epoch end (KIP-320). */
import { errorCode } from "../protocol/error-codes.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import { endOfEpoch } from "./epoch-end.ts";
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
