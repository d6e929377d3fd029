/** Who leads a partition, and how that changes: each change begins a new leader epoch (KIP-101). */
import type { Brokers } from "./brokers.ts";
import type { Partition } from "./topic.ts";

/** The leader of a partition whose brokers are all stopped. */
export const NO_LEADER = -1;

/** The first of a partition's brokers that runs. */
export function electedLeader({ replicas }: Pick<Partition, "replicas">, brokers: Brokers): number {
  return replicas.find((id) => brokers.isRunning(id)) ?? NO_LEADER;
}

/** Gives a partition another leader; requests that wait for the old one wake and see it. */
export function changeLeader(partition: Partition, leaderId: number): void {
  if (partition.leaderId === leaderId) return;
  partition.leaderId = leaderId;
  partition.leaderEpoch += 1;
  partition.topic.savePartition(partition);
  partition.log.wake();
}

/** Like {@link changeLeader}; a broker that did not hold the partition takes the place of the one that led it. */
export function moveLeader(partition: Partition, brokerId: number): void {
  if (!partition.replicas.includes(brokerId)) {
    const place = Math.max(partition.replicas.indexOf(partition.leaderId), 0);
    partition.replicas = partition.replicas.with(place, brokerId);
  }
  changeLeader(partition, brokerId);
}

/** Gives a partition other brokers; its leader stays, if it is among them. */
export function reassign(partition: Partition, replicas: readonly number[], brokers: Brokers): void {
  partition.replicas = replicas;
  if (replicas.includes(partition.leaderId)) partition.topic.savePartition(partition);
  else changeLeader(partition, electedLeader(partition, brokers));
}

/** A partition's brokers by what they do: all hold the same bytes, so those that run are in sync. */
export function replicasOf({ replicas }: Partition, brokers: Brokers) {
  const running = replicas.filter((id) => brokers.isRunning(id));
  return {
    replicaNodes: replicas,
    // With all of them stopped, the last one that ran stays the only one that may lead again.
    isrNodes: running.length > 0 ? running : replicas.slice(0, 1),
    offlineReplicas: replicas.filter((id) => !brokers.isRunning(id)),
  };
}
