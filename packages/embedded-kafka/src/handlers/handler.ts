/** What a handler is, and what it is given besides the request. */
import type { BrokerNode } from "../cluster/brokers.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { FetchSessions } from "../cluster/fetch-sessions.ts";
import type { Partition } from "../cluster/topic.ts";
import type { Groups } from "../coord/groups.ts";
import type { Transactions } from "../coord/transactions.ts";
import type { Log } from "../log-port.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { Api, RequestOf, ResponseOf } from "../protocol/schema.ts";
import type { Clock } from "../time/clock.ts";

/** Where a client has to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The connection that a request came by. */
export interface ClientConnection {
  /** What the client calls itself. */
  readonly clientId: string;
  /** Its address, as DescribeGroups shows it. */
  readonly clientHost: string;
  /** How this client reaches a broker. */
  endpointOf(broker: BrokerNode): Endpoint;
  /** Calls back when the connection ends, until the returned function is called. */
  onClose(closed: () => void): () => void;
  /** Ends the connection: the only answer there is to a client that wants none. */
  close(): void;
}

/** An API as ApiVersions lists it. */
export interface ServedApi {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface RequestContext {
  /** The broker that was asked. */
  readonly brokerId: number;
  readonly apiVersion: number;
  readonly client: ClientConnection;
  readonly cluster: Cluster;
  readonly fetchSessions: FetchSessions;
  readonly groups: Groups;
  readonly transactions: Transactions;
  readonly clock: Clock;
  readonly log: Log;
  /** Everything this broker serves. */
  readonly served: readonly ServedApi[];
}

/** Instead of a response where the client asked for none (Produce with acks=0). */
export const NO_RESPONSE: unique symbol = Symbol("no response");

type Answer<A> = ResponseOf<A> | typeof NO_RESPONSE;

/** One API: its schemas, the versions that ApiVersions lists, and what it does. */
export interface Handler {
  readonly api: Api;
  /** Where it differs from the versions that are served. */
  readonly listed: readonly [number, number];
  readonly handle: (context: RequestContext, request: never) => unknown;
}

/** Makes a handler. A promise parks the request: nothing else of its connection is served meanwhile. */
export function handler<A extends Api>(
  api: A,
  handle: (context: RequestContext, request: RequestOf<A>) => Answer<A> | Promise<Answer<A>>,
  listed?: readonly [number, number],
): Handler {
  return { api, listed: listed ?? api.versions, handle };
}

/** Why a broker can't serve a partition to a client that knows this leader epoch (KIP-320); null where it can. */
export function leadershipProblem(
  partition: Partition,
  brokerId: number,
  currentLeaderEpoch: number,
): number | null {
  if (currentLeaderEpoch >= 0 && currentLeaderEpoch < partition.leaderEpoch)
    return errorCode.fencedLeaderEpoch;
  if (currentLeaderEpoch > partition.leaderEpoch) return errorCode.unknownLeaderEpoch;
  return partition.leaderId === brokerId ? null : errorCode.notLeaderOrFollower;
}
