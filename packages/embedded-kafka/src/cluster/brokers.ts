/** The broker ids of this process: which of them run, and which coordinates what. */

/** A broker id; where its port is depends on who asks (see the listeners). */
export interface BrokerNode {
  readonly id: number;
  readonly rack: string | null;
}

/** What is coordinated: a consumer group, or a transactional id. */
export type Coordinated = "group" | "transaction";

/** Keys fall into as many sets as Apache Kafka's own topics have partitions; each set has its coordinator. */
export const COORDINATOR_SETS = 50;

/** The set that a key falls into: the partition of the internal topic that Apache Kafka keeps it in. */
export function coordinatorSet(key: string): number {
  return javaHash(key) % COORDINATOR_SETS;
}

export class Brokers {
  /** Every id, running or not. */
  readonly all: readonly BrokerNode[];
  readonly #stopped = new Set<number>();
  /** The coordinator of each set, by id; undefined while no broker runs. */
  readonly #sets: Readonly<Record<Coordinated, (number | undefined)[]>>;
  /** Coordinators of keys that were moved by themselves, out of their sets. */
  readonly #moved: Readonly<Record<Coordinated, Map<string, number>>> = {
    group: new Map(),
    transaction: new Map(),
  };

  constructor(all: readonly BrokerNode[]) {
    this.all = all;
    const inTurn = () => Array.from({ length: COORDINATOR_SETS }, (_, set) => all[set % all.length]?.id);
    this.#sets = { group: inTurn(), transaction: inTurn() };
  }

  get running(): readonly BrokerNode[] {
    return this.all.filter(({ id }) => this.isRunning(id));
  }

  has(id: number): boolean {
    return this.all.some((broker) => broker.id === id);
  }

  isRunning(id: number): boolean {
    return this.has(id) && !this.#stopped.has(id);
  }

  /** Undefined where no broker runs. */
  coordinatorOf(kind: Coordinated, key: string): BrokerNode | undefined {
    const id = this.#moved[kind].get(key) ?? this.#sets[kind][coordinatorSet(key)];
    return this.all.find((broker) => broker.id === id);
  }

  /** Makes a running broker the coordinator of one group or one transactional id. */
  moveCoordinator(kind: Coordinated, key: string, id: number): void {
    this.#moved[kind].set(key, id);
  }

  /** What a broker coordinated is shared out among the others, and does not come back by itself. */
  stopped(id: number): void {
    this.#stopped.add(id);
    for (const kind of ["group", "transaction"] as const) {
      for (const [key, coordinator] of this.#moved[kind]) {
        if (coordinator === id) this.#moved[kind].delete(key);
      }
      this.#shareOut(kind, (coordinator) => coordinator === id);
    }
  }

  started(id: number): void {
    this.#stopped.delete(id);
    for (const kind of ["group", "transaction"] as const) {
      this.#shareOut(kind, (coordinator) => coordinator === undefined);
    }
  }

  #shareOut(kind: Coordinated, isFree: (coordinator: number | undefined) => boolean): void {
    const running = this.running;
    const sets = this.#sets[kind];
    for (const [set, coordinator] of sets.entries()) {
      if (isFree(coordinator)) sets[set] = running[set % running.length]?.id;
    }
  }
}

/** The absolute value of Java's `String.hashCode`, as Apache Kafka spreads groups and transactional ids. */
function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash === -(2 ** 31) ? 0 : Math.abs(hash);
}
