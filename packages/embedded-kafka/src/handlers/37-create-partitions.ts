/** CreatePartitions, versions 0 to 3: a topic gets more partitions, never fewer. */
import { MOST_PARTITIONS } from "../cluster/cluster.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { createPartitions } from "../protocol/messages/create-partitions.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { handler, type RequestContext } from "./handler.ts";

type Wanted = RequestOf<typeof createPartitions>["topics"][number];

export const createPartitionsHandler = handler(createPartitions, (context, { topics, validateOnly }) => ({
  results: [...Map.groupBy(topics, ({ name }) => name)].map(([name, [wanted, ...again]]) =>
    wanted === undefined || again.length > 0
      ? { name, errorCode: errorCode.invalidRequest, errorMessage: "Duplicate topic name." }
      : { name, ...grow(context, wanted, validateOnly) },
  ),
}));

function grow({ cluster }: RequestContext, { name, count, assignments }: Wanted, validateOnly: boolean) {
  const topic = cluster.topic(name);
  if (topic === undefined) {
    return { errorCode: errorCode.unknownTopicOrPartition, errorMessage: null };
  }
  const present = topic.partitions.length;
  const added = count - present;
  if (added <= 0) {
    const errorMessage =
      added === 0
        ? `Topic already has ${present} partition(s).`
        : `The topic ${name} currently has ${present} partition(s); ${count} would not be an increase.`;
    return { errorCode: errorCode.invalidPartitions, errorMessage };
  }
  if (count > MOST_PARTITIONS) {
    return {
      errorCode: errorCode.invalidPartitions,
      errorMessage: `At most ${MOST_PARTITIONS} partitions, for one topic.`,
    };
  }
  const copies = topic.partitions[0]?.replicas.length ?? 1;
  const replicas =
    assignments?.map(({ brokerIds }) => brokerIds) ??
    Array.from({ length: added }, (_, index) => cluster.placeReplicas(present + index, copies));
  if (replicas.length !== added) {
    return {
      errorCode: errorCode.invalidReplicaAssignment,
      errorMessage: `Attempted to add ${added} additional partition(s), but only ${replicas.length} assignment(s) were specified.`,
    };
  }
  const problem = cluster.replicaProblem(replicas);
  if (problem !== null) return { errorCode: problem.errorCode, errorMessage: problem.message };
  if (!validateOnly) for (const ids of replicas) cluster.addPartition(topic, ids);
  return { errorCode: errorCode.none, errorMessage: null };
}
