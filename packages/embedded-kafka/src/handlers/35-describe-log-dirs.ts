/** DescribeLogDirs, versions 1 to 5 (KIP-113): what the asked broker holds, and how large it is. There is one folder. */
import type { Topic } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { describeLogDirs } from "../protocol/messages/describe-log-dirs.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { handler, type RequestContext } from "./handler.ts";

type Wanted = NonNullable<RequestOf<typeof describeLogDirs>["topics"]>;

export const describeLogDirsHandler = handler(describeLogDirs, (context, { topics }) => {
  const { path, ...space } = context.cluster.logDir;
  return {
    results: [
      {
        errorCode: errorCode.none,
        logDir: path,
        topics: topics === null ? everything(context) : named(context, topics),
        ...space,
      },
    ],
  };
});

function everything(context: RequestContext) {
  return context.cluster.topics.flatMap((topic) => sizes(context, topic, null));
}

/** What is not there, or not on this broker, is left out. */
function named(context: RequestContext, wanted: Wanted) {
  return wanted.flatMap(({ topic: name, partitions }) => {
    const topic = context.cluster.topic(name);
    return topic === undefined ? [] : sizes(context, topic, partitions);
  });
}

function sizes({ brokerId }: RequestContext, { name, partitions }: Topic, wanted: readonly number[] | null) {
  const held = partitions
    .filter(({ index, replicas }) => replicas.includes(brokerId) && (wanted?.includes(index) ?? true))
    .map(({ index, log }) => ({
      partitionIndex: index,
      partitionSize: log.bytes,
      offsetLag: 0,
      isFutureKey: false,
    }));
  return held.length === 0 ? [] : [{ name, partitions: held }];
}
