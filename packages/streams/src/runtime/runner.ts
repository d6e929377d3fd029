/**
 * Runs a topology on Kafka: the supervisor of consumers that come and go, the commits, the health.
 *
 * What is promised of the outputs is the business of `commits.ts`.
 */
import type { Kafka } from "kafkajs";
import { messageOf, StreamsError } from "../errors.ts";
import { type ConsumerSession, keyOf, type TopicPartition } from "../io/consumer-session.ts";
import { createKafka } from "../io/kafka-client.ts";
import { delay, inTime, within } from "../io/machine-clock.ts";
import { offsetsOf } from "../io/offsets.ts";
import { SessionSupervisor } from "../io/session-supervisor.ts";
import { TopicKeeper, withAdmin } from "../io/topics.ts";
import { type CommittedPosition, TRANSACTION_RETRY } from "../io/transactional-producer.ts";
import type { Cancel, Clock, KafkaConnection, Log, Metrics } from "../ports.ts";
import { type RecordContext, sinkTopicsOf, type Topology } from "../topology/nodes.ts";
import { AtLeastOnce } from "./at-least-once.ts";
import { Changelogs } from "./changelogs.ts";
import type { Commits, Guarantee } from "./commits.ts";
import { deadLetterTopic } from "./dead-letters.ts";
import { ExactlyOnce } from "./exactly-once.ts";
import type { FailurePolicy } from "./faults.ts";
import type { Numbers } from "./numbers.ts";
import type { PartitionPorts } from "./partition.ts";
import { PURGE_EVERY_MS, Purge } from "./purge.ts";
import { SparingLog } from "./sparing-log.ts";
import type { OnRecordsGone, StartFrom } from "./start-offsets.ts";
import { Tasks } from "./tasks.ts";

export interface RunnerOptions {
  readonly topology: Topology;
  readonly kafka: KafkaConnection;
  readonly log: Log;
  readonly clock: Clock;
  readonly numbers: Numbers;
  readonly metrics: Metrics | undefined;
  readonly startFrom: StartFrom;
  readonly onRecordsGone: OnRecordsGone;
  readonly policy: FailurePolicy;
  readonly guarantee: Guarantee;
  readonly commitEveryMs: number;
  readonly sessionTimeoutMs: number;
  readonly stallAfterMs: number;
  print(label: string, value: unknown, context: RecordContext): void;
}

/** An app's health, for health checks: `ready` to work, `live` or in need of a restart, and `why` in words. */
export interface AppHealth {
  /** True while partitions are assigned, state is restored and Kafka answers. */
  readonly ready: boolean;
  /** True while nothing is stuck and nothing has failed permanently. */
  readonly live: boolean;
  readonly why: string;
  /** When brokers stopped answering, wall clock in milliseconds. */
  readonly unreachableSinceMs?: number;
}

/** How often time is told to the clocks of the partitions, and everybody is looked after, in milliseconds. */
const TICK_MS = 100;
const NOTHING_KNOWN = { low: 0, high: 0, committed: -1, metadata: null };

export class Runner {
  readonly #options: RunnerOptions;
  readonly #client: Kafka;
  readonly #commits: Commits;
  readonly #tasks: Tasks;
  readonly #purge: Purge;
  readonly #changelogs: Changelogs;
  readonly #sourceTopics: readonly string[];
  readonly #failure = Promise.withResolvers<never>();
  readonly #stop = new AbortController();
  readonly #sessions: SessionSupervisor;
  readonly #topics: TopicKeeper;
  #failed: Error | undefined;
  #widthOf: (topic: string) => number = () => 0;
  #cancels: Cancel[] = [];

  constructor(options: RunnerOptions) {
    const { kafka, log, clock, topology } = options;
    const sources = new Map(topology.sources.map((source) => [source.topic.name, source]));
    const onFailure = (error: unknown) => this.#fail(error instanceof Error ? error : gone(String(error)));
    this.#options = options;
    this.#sourceTopics = [...sources.keys()];
    options.numbers.startAtZero(this.#sourceTopics);
    this.#topics = topicsOf(options);
    this.#client = createKafka({
      kafka,
      log,
      clientId: topology.name,
      onNotice: (notice) => this.#outOfRange(notice),
    });
    this.#commits = this.#commitsFor(onFailure);
    this.#purge = new Purge(this.#client, options, topology.sources);
    this.#changelogs = new Changelogs({ ...options, app: topology.name, client: this.#client });
    this.#tasks = new Tasks({
      ...options,
      sources,
      ports: this.#ports(),
      widthOf: (topic) => this.#widthOf(topic),
      outletOf: (at) => this.#commits.outletOf(at),
      onQueue: (at, isFull) => (isFull ? this.#session?.pause(at) : this.#session?.resume(at)),
      onFailure,
    });
    this.#sessions = new SessionSupervisor({
      client: this.#client,
      brokers: kafka.brokers,
      purpose: `to let pipeline "${topology.name}" read`,
      groupId: topology.name,
      topics: this.#sourceTopics,
      log,
      clock,
      sessionTimeoutMs: options.sessionTimeoutMs,
      prepare: () => this.#ensureTopics(),
      onAssigned: (session, partitions) => this.#assigned(session, partitions),
      onBatch: (batch) => this.#tasks.take(batch),
      onRestart: () => options.numbers.count("consumer_restarts"),
    });
    this.#failure.promise.catch(() => undefined);
  }

  /** Until `stop`; rejects if processing can't continue. */
  async run(): Promise<void> {
    this.#every(TICK_MS, (elapsedMs) => this.#tick(elapsedMs));
    this.#every(1_000, () => this.#measure());
    this.#every(PURGE_EVERY_MS, () => void this.#purge.run());
    this.#every(this.#options.commitEveryMs, () => void this.#commit(false));
    const stopped = new Promise<void>((resolve) =>
      this.#stop.signal.addEventListener("abort", () => resolve()),
    );
    const ended = Promise.race([this.#sessions.run(), this.#failure.promise, stopped]);
    await ended.catch((error: unknown) => this.#fail(error instanceof Error ? error : gone(String(error))));
    await this.#shutDown();
    if (this.#failed !== undefined) throw this.#failed;
  }

  stop(): void {
    this.#stop.abort();
  }

  health(): AppHealth {
    const { unreachable, refusal } = this.#commits;
    const failed = this.#failed ?? refusal;
    if (failed !== undefined) return { ready: false, live: false, why: failed.message };
    const { trouble } = this.#sessions;
    if (trouble?.unreachableSinceMs === undefined && unreachable !== undefined) {
      const why = `Kafka has been unreachable since ${new Date(unreachable.sinceMs).toISOString()}: ${unreachable.reason}`;
      return { ready: false, live: true, why, unreachableSinceMs: unreachable.sinceMs };
    }
    const { restoring } = this.#changelogs;
    if (restoring > 0)
      return { ready: false, live: true, why: `restoring the state of ${restoring} partitions` };
    if (trouble !== undefined) return { ready: false, ...trouble };
    return { ready: true, live: true, why: `processing ${this.#tasks.size} partitions` };
  }

  get #session(): ConsumerSession | undefined {
    return this.#sessions.session;
  }

  async #assigned(session: ConsumerSession, partitions: readonly TopicPartition[]) {
    const { log, numbers, topology } = this.#options;
    numbers.count("rebalances");
    this.#tasks.keepOnly(partitions);
    this.#commits.keepOnly(partitions);
    let offsets = await this.#offsets();
    const known = (each: TopicPartition) => offsets.get(keyOf(each.topic, each.partition)) ?? NOTHING_KNOWN;
    // Where the work stands is read when nobody else can move it any more.
    if (await this.#commits.acquire(this.#tasks.notContinued(partitions, known))) {
      offsets = await this.#offsets();
    }
    const widthOf = (topic: string) =>
      [...offsets.keys()].filter((key) => key.startsWith(`${topic}/`)).length;
    this.#widthOf = widthOf;
    const starts = this.#tasks.prepare(partitions, known, widthOf);
    await this.#changelogs.restore(this.#tasks.takeNew(), widthOf);
    const beginnings = this.#tasks.takeOver();
    if (beginnings.length > 0) await this.#commits.note(session, beginnings);
    for (const { noted } of beginnings) noted();
    const assigned = partitions.map((each) => keyOf(each.topic, each.partition));
    log.info({ group: topology.name, partitions: assigned }, "partitions assigned");
    return starts;
  }

  #offsets() {
    const { clock, topology } = this.#options;
    const asked = offsetsOf(this.#client, clock, topology.name, this.#sourceTopics);
    return inTime(clock, 15_000, "Fetching committed offsets", asked);
  }

  #commitsFor(onFailure: (error: Error) => void): Commits {
    const { kafka, log, clock, topology, numbers, guarantee } = this.#options;
    const shared = {
      app: topology.name,
      log,
      clock,
      numbers,
      onTopicMissing: async () => {
        await this.#ensureTopics();
        await this.#changelogs.ensure();
      },
      onCommitted: (positions: readonly CommittedPosition[]) => this.#purge.committed(positions),
      onFailure,
    };
    if (guarantee === "at-least-once") return new AtLeastOnce({ ...shared, client: this.#client });
    return new ExactlyOnce({
      ...shared,
      client: createKafka({ kafka, log, clientId: topology.name, retry: TRANSACTION_RETRY }),
      // Another session begins at what is committed.
      onBroken: (_at, reason) => this.#sessions.endSession(reason),
      onFull: () => void this.#commit(false),
    });
  }

  #ports(): Omit<PartitionPorts, "emit"> {
    const { topology, numbers, clock, log, print, policy } = this.#options;
    const sparing = new SparingLog(log, clock);
    return {
      app: topology.name,
      numbers,
      policy,
      print: (label, value, context) => {
        // By now the record counts. A display that fails must not make it count again.
        try {
          print(label, value, context);
        } catch (error) {
          sparing.warn({ label, reason: messageOf(error) }, "could not print a value");
        }
      },
      wallMs: () => clock.now(),
      backoff: async (waitMs) => {
        await delay(clock, waitMs, this.#stop.signal);
        if (this.#stop.signal.aborted) throw gone("it was stopped between two attempts of a record");
      },
      warn: (fields, message) => sparing.warn(fields, message),
    };
  }

  #tick(elapsedMs: number): void {
    const session = this.#session;
    this.#tasks.elapse(elapsedMs, (at) => session?.isAtEnd(at) === true);
    const stalled = this.#tasks.stalled(this.#options.stallAfterMs);
    if (stalled !== undefined) this.#fail(stalled);
  }

  async #commit(isLast: boolean): Promise<void> {
    const session = this.#session;
    if (session === undefined || this.#failed !== undefined) return;
    try {
      await this.#commits.commit(session, this.#tasks, isLast);
    } catch (error) {
      this.#fail(error instanceof Error ? error : gone(String(error)));
    }
  }

  #measure(): void {
    const { numbers } = this.#options;
    numbers.gauge("broker_reachable", this.#sessions.isReachable ? 1 : 0);
    this.#tasks.measure();
    numbers.flush();
  }

  /** kafkajs reports this only in its log. A new consumer starts from the records that remain, see `startOf`. */
  #outOfRange(at: TopicPartition): void {
    this.#tasks.drop(at);
    this.#sessions.restart(`the next records of ${at.topic}[${at.partition}] were deleted`);
  }

  async #ensureTopics(): Promise<void> {
    await withAdmin(this.#client, this.#options.clock, (admin) => this.#topics.ensure(admin));
  }

  #fail(error: Error): void {
    if (this.#failed !== undefined) return;
    this.#failed = error;
    this.#options.log.debug({ reason: error.message }, "the pipeline can't continue");
    this.#failure.reject(error);
  }

  /** Records in work are ended, what they told is delivered, and the position noted; each step has its deadline. */
  async #shutDown(): Promise<void> {
    const { clock, numbers } = this.#options;
    this.#stop.abort();
    this.#sessions.stop();
    for (const cancel of this.#cancels) cancel();
    const isOrderly = await within(clock, 3_000, this.#tasks.stop());
    if (this.#failed === undefined) await within(clock, 3_000, this.#commit(isOrderly));
    await this.#session?.stop(3_000);
    await this.#commits.close(1_000);
    numbers.flush();
  }

  #every(periodMs: number, work: (elapsedMs: number) => void): void {
    const { clock } = this.#options;
    let lastMs = clock.monotonic();
    const slot = this.#cancels.length;
    const next = (): void => {
      this.#cancels[slot] = clock.setTimeout(() => {
        const nowMs = clock.monotonic();
        work(nowMs - lastMs);
        lastMs = nowMs;
        if (!this.#stop.signal.aborted) next();
      }, periodMs);
    };
    next();
  }
}

/** All that the topology reads and writes. */
function topicsOf({ topology, kafka, log, metrics }: RunnerOptions): TopicKeeper {
  const sources = topology.sources.map(({ topic }) => topic);
  const definitions = [...sources, ...sinkTopicsOf(topology), ...sources.map(deadLetterTopic)];
  return new TopicKeeper({ kafka, definitions, log, metrics });
}

function gone(why: string): StreamsError {
  return new StreamsError("STREAMS_CLOSED", `The consumer ended: ${why}.`, { retriable: true });
}
