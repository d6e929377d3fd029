/**
 * AlterPartitionReassignments, versions 0 and 1 (KIP-455; KIP-860): other brokers for a partition. All brokers hold the
 * same bytes here, so that a reassignment is over when it is answered, and there is never one to be taken back.
 */
import { reassign } from "../cluster/leadership.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { alterPartitionReassignments } from "../protocol/messages/alter-partition-reassignments.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { handler, type RequestContext } from "./handler.ts";

type Request = RequestOf<typeof alterPartitionReassignments>;
type Wanted = Request["topics"][number]["partitions"][number];

export const alterPartitionReassignmentsHandler = handler(
  alterPartitionReassignments,
  (context, request) => ({
    allowReplicationFactorChange: request.allowReplicationFactorChange,
    errorCode: errorCode.none,
    responses: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((wanted) => ({
        partitionIndex: wanted.partitionIndex,
        ...alter(context, name, wanted, request.allowReplicationFactorChange),
      })),
    })),
  }),
);

function alter(
  { cluster }: RequestContext,
  name: string,
  { partitionIndex, replicas }: Wanted,
  mayChangeFactor: boolean,
) {
  if (cluster.topic(name) === undefined) {
    return refused(errorCode.unknownTopicOrPartition, `Unable to find a topic named ${name}.`);
  }
  const partition = cluster.partition(name, partitionIndex);
  if (partition === undefined) {
    return refused(errorCode.unknownTopicOrPartition, `Unable to find partition ${name}:${partitionIndex}.`);
  }
  if (replicas === null) return refused(errorCode.noReassignmentInProgress, null);
  const problem = cluster.replicaProblem([replicas]);
  if (problem !== null) return refused(problem.errorCode, problem.message);
  if (!mayChangeFactor && replicas.length !== partition.replicas.length) {
    return refused(
      errorCode.invalidReplicationFactor,
      `The replication factor is changed from ${partition.replicas.length} to ${replicas.length}`,
    );
  }
  if (!replicas.some((id) => cluster.brokers.isRunning(id))) {
    return refused(errorCode.invalidReplicaAssignment, `None of the brokers ${replicas} runs.`);
  }
  reassign(partition, replicas, cluster.brokers);
  return { errorCode: errorCode.none, errorMessage: null };
}

function refused(code: number, errorMessage: string | null) {
  return { errorCode: code, errorMessage };
}
