/**
 * One consumer session after another, until stopped: starts them, gives up those that are silent, waits for a broker as
 * long as it takes, and logs an outage twice: when it begins and when it is over.
 */
import { KafkaRefusedError, messageOf, RecordsGoneError, StreamsError } from "../errors.ts";
import type { Cancel } from "../ports.ts";
import { explained, isAccessRefusal, isFinal, longestWaitMs } from "./access.ts";
import { ConsumerSession, type ConsumerSessionOptions, type TopicPartition } from "./consumer-session.ts";
import { isBrokerAway, isPassing } from "./kafka-errors.ts";
import { delay, inTime, within } from "./machine-clock.ts";
import { withAdmin } from "./topics.ts";

export type Reachability =
  /** No broker answers, since `sinceMs` (wall clock, milliseconds). */
  | { readonly kind: "unreachable"; readonly sinceMs: number; readonly reason: string }
  | { readonly kind: "reachable"; readonly awayMs: number };

type FromSession = "groupId" | "topics" | "sessionTimeoutMs" | "onBatch" | "client" | "log" | "clock";

export interface SessionSupervisorOptions extends Pick<ConsumerSessionOptions, FromSession> {
  readonly brokers: readonly string[];
  /** What Kafka refuses if it refuses permanently, for the error's text: "to let us read". */
  readonly purpose: string;
  /** Makes what a session needs, such as topics; before each of them. */
  prepare(): Promise<void>;
  /** As in {@link ConsumerSessionOptions}, with the session that asks. */
  onAssigned(
    session: ConsumerSession,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (TopicPartition & { offset: number })[]>;
  onReachability?(news: Reachability): void;
  /** A session has ended and another will be started. */
  onRestart?(): void;
}

/** Why nothing is read. */
export interface SessionTrouble {
  /** False where a restart of the process may be better. */
  readonly live: boolean;
  readonly why: string;
  readonly unreachableSinceMs?: number;
}

const LOOK_MS = 100;
/** A broker that has said nothing for so long is called unreachable: several fetches and heartbeats are missing. */
const SILENT_MS = 4_000;
/** Then the session is given up: kafkajs may hang without telling. */
const GIVE_UP_MS = 20_000;
/** A session that has read for so long works. */
const STEADY_MS = 5_000;
/** So many sessions in a row, about one a second, fail for something that will not pass: a restart may be better. */
const FAILURES_MAX = 20;
/** A group that moves, or a broker that starts, may end so many before it is worth a line. */
const PASSING_FAILURES_MAX = 3;

export class SessionSupervisor {
  readonly #options: SessionSupervisorOptions;
  readonly #stop = new AbortController();
  #session: ConsumerSession | undefined;
  #unreachable: { sinceMs: number; reason: string } | undefined;
  #failures = { inRow: 0, sinceMs: 0, reason: "", isTold: false };
  #readingSinceMs: number | undefined;
  #isProbing = false;
  #cancelLook: Cancel = () => undefined;

  constructor(options: SessionSupervisorOptions) {
    this.#options = options;
  }

  /** The present session, or the last one; undefined before the first. */
  get session(): ConsumerSession | undefined {
    return this.#session;
  }

  /** Whether a broker answers. */
  get isReachable(): boolean {
    return this.#unreachable === undefined;
  }

  /** Undefined while partitions are read. */
  get trouble(): SessionTrouble | undefined {
    if (this.#unreachable !== undefined) {
      const { sinceMs, reason } = this.#unreachable;
      const why = `Kafka has been unreachable since ${new Date(sinceMs).toISOString()}: ${reason}`;
      return { live: true, why, unreachableSinceMs: sinceMs };
    }
    const { inRow, reason } = this.#failures;
    const live = inRow < FAILURES_MAX;
    if (this.#session?.isReading === true && live) return undefined;
    if (inRow > 0) return { live, why: `the consumer failed ${inRow} times in a row: ${reason}` };
    return { live, why: "waiting for partitions from the consumer group" };
  }

  /**
   * Resolves after `stop`.
   *
   * @throws {KafkaRefusedError} if Kafka refuses permanently.
   * @throws {RecordsGoneError} from `onAssigned`.
   */
  async run(): Promise<void> {
    const { client, clock, purpose } = this.#options;
    const { signal } = this.#stop;
    this.#look();
    for (let waitMs = 100; !signal.aborted; ) {
      const startedMs = clock.monotonic();
      const reason = await this.#consume();
      if (signal.aborted) return;
      if (reason instanceof KafkaRefusedError || reason instanceof RecordsGoneError) throw reason;
      if (isFinal(client, reason)) throw new KafkaRefusedError(purpose, reason);
      this.#options.onRestart?.();
      this.#ended(reason);
      if (clock.monotonic() - startedMs > 10_000) waitMs = 100;
      await delay(clock, waitMs, signal);
      waitMs = Math.min(longestWaitMs(reason, 1_000), waitMs * 2);
    }
  }

  /** No further session is started; the present one is the owner's to stop, when it has committed. */
  stop(): void {
    this.#stop.abort();
    this.#cancelLook();
  }

  /** Gives the present session up for another one. */
  restart(why: string): void {
    this.endSession(new StreamsError("STREAMS_CLOSED", `The consumer ended: ${why}.`, { retriable: true }));
  }

  /** As `restart`, for an error of Kafka's. */
  endSession(reason: unknown): void {
    this.#session?.end(reason);
  }

  /** One session's life; returns why it ended. */
  async #consume(): Promise<unknown> {
    const { onAssigned, prepare, ...options } = this.#options;
    try {
      await inTime(this.#options.clock, GIVE_UP_MS, "Preparing to read", prepare());
    } catch (error) {
      return error;
    }
    if (this.#stop.signal.aborted) return undefined;
    const session = new ConsumerSession({
      ...options,
      memberId: this.#session?.leftBehind,
      onAssigned: (partitions) => onAssigned(session, partitions),
    });
    this.#session = session;
    void session.start();
    const reason = await session.ended;
    if (!this.#stop.signal.aborted) void session.stop(5_000);
    return reason;
  }

  #ended(reason: unknown): void {
    const { clock, log, groupId } = this.#options;
    this.#readingSinceMs = undefined;
    if (isAccessRefusal(reason))
      return this.#lost(explained(reason), "Kafka refused the connection; retrying");
    if (isBrokerAway(reason)) return this.#lost(explained(reason));
    const failures = this.#failures;
    if (failures.inRow === 0) failures.sinceMs = clock.now();
    failures.inRow++;
    failures.reason = messageOf(reason);
    const fields = { group: groupId, reason: failures.reason, failuresInRow: failures.inRow };
    const isWorthALine = !isPassing(reason) || failures.inRow > PASSING_FAILURES_MAX;
    if (failures.isTold || !isWorthALine) return log.debug(fields, "the consumer ended; restarting it");
    failures.isTold = true;
    log.warn(fields, "the consumer ended; restarting it until it succeeds");
  }

  #look(): void {
    const { clock } = this.#options;
    const lookedMs = clock.monotonic();
    this.#cancelLook = clock.setTimeout(() => {
      const elapsedMs = clock.monotonic() - lookedMs;
      // After a pause of this process the broker may have answered long ago, only nobody looked.
      if (this.#session !== undefined && elapsedMs < SILENT_MS / 2) this.#lookAfter(this.#session);
      if (!this.#stop.signal.aborted) this.#look();
    }, LOOK_MS);
  }

  #lookAfter(session: ConsumerSession): void {
    const nowMs = this.#options.clock.monotonic();
    if (!session.isReading) this.#readingSinceMs = undefined;
    else if (session.silentMs < SILENT_MS) {
      this.#reached();
      this.#readingSinceMs ??= nowMs;
      if (nowMs - this.#readingSinceMs > STEADY_MS) this.#works();
    }
    if (session.silentMs > GIVE_UP_MS) this.restart("no broker has answered for too long");
    else if (session.silentMs > SILENT_MS) {
      // A join is answered when all members have come or are given up: as long as a session timeout, and longer.
      if (session.isJoining) void this.#probe(session);
      else this.#lost("no answer");
    }
  }

  /** Asks over a separate connection whether any broker answers. */
  async #probe(session: ConsumerSession): Promise<void> {
    if (this.#isProbing) return;
    this.#isProbing = true;
    const { client, clock } = this.#options;
    let isAnswered = false;
    const probing = withAdmin(client, clock, async (admin) => {
      await admin.describeCluster();
      isAnswered = true;
    });
    await within(clock, SILENT_MS, probing);
    this.#isProbing = false;
    if (this.#stop.signal.aborted || session !== this.#session || session.silentMs < SILENT_MS) return;
    if (isAnswered) session.heard();
    else this.#lost("no answer");
  }

  #lost(reason: string, message = "Kafka is unreachable; waiting for it"): void {
    if (this.#unreachable !== undefined) return;
    const { clock, log, brokers, onReachability } = this.#options;
    const sinceMs = clock.now();
    this.#unreachable = { sinceMs, reason };
    log.warn({ brokers, reason }, message);
    onReachability?.({ kind: "unreachable", sinceMs, reason });
  }

  #reached(): void {
    if (this.#unreachable === undefined) return;
    const { clock, log, onReachability } = this.#options;
    const awayMs = clock.now() - this.#unreachable.sinceMs;
    this.#unreachable = undefined;
    log.info({ awayMs }, "Kafka is reachable again");
    onReachability?.({ kind: "reachable", awayMs });
  }

  #works(): void {
    const { inRow, sinceMs, isTold } = this.#failures;
    if (inRow === 0) return;
    this.#failures = { inRow: 0, sinceMs: 0, reason: "", isTold: false };
    const { clock, log, groupId } = this.#options;
    if (!isTold) return;
    log.info(
      { group: groupId, failures: inRow, lastedMs: clock.now() - sinceMs },
      "the consumer works again",
    );
  }
}
