/**
 * Keeps for a moment which brokers coordinate a transactional producer's transactions and its group. kafkajs 2.2.4 asks
 * Kafka before each of its requests to them (FindCoordinator): a transaction of five requests took nine, one after another.
 *
 * Only for a moment, as kafkajs asks again where a broker says that it is not the coordinator any more, and is to hear
 * something else then.
 */
import { createRequire } from "node:module";
import { machineClock } from "./machine-clock.ts";

interface Lookup {
  readonly groupId: string;
  readonly coordinatorType: number;
}

/** What is used of kafkajs' `Cluster`, of which each producer has its own. */
interface Cluster {
  findGroupCoordinatorMetadata(lookup: Lookup): Promise<unknown>;
}

interface Known {
  readonly coordinator: unknown;
  readonly untilMs: number;
}

/** Kafka's `coordinator_key` types. */
const TRANSACTION = 1;
/** Less than `TRANSACTION_RETRY` keeps trying. */
const KEPT_MS = 500;

const knownBy = new WeakMap<Cluster, Map<string, Known>>();
let isMended = false;

export function mendCoordinatorLookups(): void {
  if (isMended) return;
  isMended = true;
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/cluster");
  if (typeof loaded !== "function") return;
  const prototype: unknown = loaded.prototype;
  if (!isCluster(prototype)) return;
  const ask = prototype.findGroupCoordinatorMetadata;
  prototype.findGroupCoordinatorMetadata = async function (this: Cluster, lookup) {
    const known = knownTo(this, lookup);
    if (known === undefined) return ask.call(this, lookup);
    const { groupId, coordinatorType } = lookup;
    const name = `${coordinatorType} ${groupId}`;
    const nowMs = machineClock.monotonic();
    const found = known.get(name);
    if (found !== undefined && found.untilMs > nowMs) return found.coordinator;
    const coordinator = await ask.call(this, lookup);
    known.set(name, { coordinator, untilMs: nowMs + KEPT_MS });
    return coordinator;
  };
}

/** Undefined for consumers and admins: they ask seldom, and rejoin a group by the answer. */
function knownTo(cluster: Cluster, { coordinatorType }: Lookup): Map<string, Known> | undefined {
  const known = knownBy.get(cluster);
  if (known !== undefined || coordinatorType !== TRANSACTION) return known;
  const first = new Map<string, Known>();
  knownBy.set(cluster, first);
  return first;
}

function isCluster(prototype: unknown): prototype is Cluster {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    "findGroupCoordinatorMetadata" in prototype &&
    typeof prototype.findGroupCoordinatorMetadata === "function"
  );
}
