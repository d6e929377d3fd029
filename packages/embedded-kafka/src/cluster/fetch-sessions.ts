/**
 * Incremental fetch sessions (KIP-227): a broker keeps what a client fetches, and answers tell only what has changed. They
 * belong to no connection: whoever knows a session's id and next epoch can continue it.
 */
import { randomInt } from "node:crypto";
import type { Clock } from "../time/clock.ts";
import type { Cluster } from "./cluster.ts";
import type { Topic } from "./topic.ts";

/** `max.incremental.fetch.session.cache.slots`: as many sessions are kept for each broker. */
const SESSION_SLOTS = 1000;
/** `min.incremental.fetch.session.eviction.ms`: a session that was used within it makes room for no other. */
const EVICTION_MS = 120_000;
/** A session outlives the connection that filled it, so what it holds is bounded. */
const MOST_SESSION_PARTITIONS = 10_000;

const GREATEST_ID = 2 ** 31 - 1;
const FIRST_EPOCH = 1;
const NOTHING_TOLD = -1;

/** A partition that a client wants, by its topic's name or id, whichever it uses. */
export interface FetchedPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly index: number;
  readonly fetchOffset: number;
  readonly maxBytes: number;
  readonly currentLeaderEpoch: number;
  /** The leader epoch of the record before the offset, if the reader knows; else -1. */
  readonly lastFetchedEpoch: number;
  /** The topic that an id was once found to be: after its end it is known to be gone. */
  readonly found: Topic | undefined;
}

export type PartitionKey = Pick<FetchedPartition, "topic" | "topicId" | "index">;

/** What an answer tells of a partition. */
export interface PartitionState {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly bytes: number;
  /** The reader is told to go back. */
  readonly diverges: boolean;
}

interface Kept {
  wanted: FetchedPartition;
  highWatermark: number;
  logStartOffset: number;
}

export class FetchSession {
  readonly id: number;
  /** Whether its topics come by id; a session is of one kind for ever (KIP-516). */
  readonly byId: boolean;
  /** What the next request has to bring. */
  epoch = FIRST_EPOCH;
  usedAtMs: number;
  /** In the order in which they are read: who got bytes goes to the end. */
  readonly #partitions = new Map<string, Kept>();

  constructor(id: number, byId: boolean, nowMs: number) {
    this.id = id;
    this.byId = byId;
    this.usedAtMs = nowMs;
  }

  get wanted(): FetchedPartition[] {
    return [...this.#partitions.values()].map(({ wanted }) => wanted);
  }

  get size(): number {
    return this.#partitions.size;
  }

  /** Takes partitions in, or reads those that it holds from elsewhere. */
  want(changed: readonly FetchedPartition[]): void {
    for (const wanted of changed) {
      const key = keyOf(wanted);
      const kept = this.#partitions.get(key);
      if (kept !== undefined) kept.wanted = { ...wanted, found: wanted.found ?? kept.wanted.found };
      else this.#partitions.set(key, { wanted, highWatermark: NOTHING_TOLD, logStartOffset: NOTHING_TOLD });
    }
  }

  forget(partitions: readonly PartitionKey[]): void {
    for (const partition of partitions) this.#partitions.delete(keyOf(partition));
  }

  nextRound(nowMs: number): void {
    this.epoch = this.epoch === GREATEST_ID ? FIRST_EPOCH : this.epoch + 1;
    this.usedAtMs = nowMs;
  }

  /** Takes note of what a partition is like; whether its client has to be told: of bytes, an error, other ends, a way back. */
  isNews(partition: FetchedPartition, state: PartitionState): boolean {
    const key = keyOf(partition);
    const kept = this.#partitions.get(key);
    if (kept === undefined) return false;
    const failed = state.errorCode !== 0;
    const isNews =
      failed ||
      state.diverges ||
      state.bytes > 0 ||
      state.highWatermark !== kept.highWatermark ||
      state.logStartOffset !== kept.logStartOffset;
    kept.highWatermark = failed ? NOTHING_TOLD : state.highWatermark;
    kept.logStartOffset = state.logStartOffset;
    if (partition.found !== undefined) kept.wanted = { ...kept.wanted, found: partition.found };
    if (state.bytes > 0) {
      this.#partitions.delete(key);
      this.#partitions.set(key, kept);
    }
    return isNews;
  }
}

/** The sessions of all brokers of the process; each broker has its own. */
export class FetchSessions {
  readonly #clock: Clock;
  /** By broker and id, the least recently used first. */
  readonly #byBroker = new Map<number, Map<number, FetchSession>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(brokerId: number, id: number): FetchSession | undefined {
    return this.#byBroker.get(brokerId)?.get(id);
  }

  end(brokerId: number, id: number): void {
    this.#byBroker.get(brokerId)?.delete(id);
  }

  /** A broker that stops has forgotten them. */
  brokerStopped(brokerId: number): void {
    this.#byBroker.delete(brokerId);
  }

  /** A session of these partitions; null where there is no room, and the client does without. */
  begin(brokerId: number, byId: boolean, wanted: readonly FetchedPartition[]): FetchSession | null {
    const sessions = this.#byBroker.get(brokerId) ?? new Map<number, FetchSession>();
    const nowMs = this.#clock.now();
    if (wanted.length > MOST_SESSION_PARTITIONS || !makeRoom(sessions, nowMs)) return null;
    const session = new FetchSession(freeId(sessions), byId, nowMs);
    session.want(wanted);
    sessions.set(session.id, session);
    this.#byBroker.set(brokerId, sessions);
    return session;
  }

  /** The next round of a session; false where it ends, as it holds nothing any more, or too much. */
  advance(
    brokerId: number,
    session: FetchSession,
    changed: readonly FetchedPartition[],
    forgotten: readonly PartitionKey[],
  ): boolean {
    session.want(changed);
    session.forget(forgotten);
    session.nextRound(this.#clock.now());
    this.end(brokerId, session.id);
    if (session.size === 0 || session.size > MOST_SESSION_PARTITIONS) return false;
    this.#byBroker.get(brokerId)?.set(session.id, session);
    return true;
  }

  /** The names of a session's topics. */
  topicsOf(brokerId: number, id: number, cluster: Cluster): string[] {
    const wanted = this.find(brokerId, id)?.wanted ?? [];
    const names = wanted.flatMap(({ topic, topicId }) =>
      topic === "" ? (cluster.topicById(topicId)?.name ?? []) : topic,
    );
    return [...new Set(names)];
  }
}

function makeRoom(sessions: Map<number, FetchSession>, nowMs: number): boolean {
  if (sessions.size < SESSION_SLOTS) return true;
  const [oldest] = sessions.values();
  if (oldest === undefined || nowMs - oldest.usedAtMs <= EVICTION_MS) return false;
  return sessions.delete(oldest.id);
}

function freeId(sessions: ReadonlyMap<number, FetchSession>): number {
  for (;;) {
    const id = randomInt(1, GREATEST_ID);
    if (!sessions.has(id)) return id;
  }
}

function keyOf({ topic, topicId, index }: PartitionKey): string {
  return `${topic}/${topicId}/${index}`;
}
