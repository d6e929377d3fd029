/** Who leads a partition now, told along with the error of a broker that does not: clients need not ask again (KIP-951). */
import type { Partition } from "../cluster/topic.ts";
import type { RequestContext } from "./handler.ts";

export interface CurrentLeader {
  /** -1 where nobody does. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export function currentLeader({ leaderId, leaderEpoch }: Partition): CurrentLeader {
  return { leaderId, leaderEpoch };
}

/** How the leaders that were told of are reached, each once. */
export function endpointsOf(
  { cluster, client }: RequestContext,
  leaders: Iterable<Partial<CurrentLeader> | null | undefined>,
) {
  const ids = new Set([...leaders].map((leader) => leader?.leaderId));
  return cluster.brokers.running
    .filter(({ id }) => ids.has(id))
    .map((broker) => ({ nodeId: broker.id, ...client.endpointOf(broker), rack: broker.rack }));
}
