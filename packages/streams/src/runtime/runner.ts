/**
 * Runs a topology on Kafka: the supervisor of consumers that come and go, the tasks of the partitions, the commits.
 *
 * Outputs first, then the position (at least once): a commit names only records whose outputs Kafka has acknowledged.
 */
import type { Kafka } from "kafkajs";
import { KafkaRefusedError, messageOf, StalledError, StreamsError } from "../errors.ts";
import { BatchingProducer } from "../io/batching-producer.ts";
import { type Batch, ConsumerSession, keyOf, type TopicPartition } from "../io/consumer-session.ts";
import { createKafka } from "../io/kafka-client.ts";
import { isBrokerAway, isPassing, isRefusal } from "../io/kafka-errors.ts";
import { delay, within } from "../io/machine-clock.ts";
import { offsetsOf, type PartitionOffsets } from "../io/offsets.ts";
import { createMissing, type TopicDefinition, withAdmin } from "../io/topics.ts";
import type { Cancel, Clock, IncomingRecord, KafkaConnection, Log, OutgoingRecord } from "../ports.ts";
import { encodeCheckpoint } from "../state/checkpoint.ts";
import { type RecordContext, type SourceNode, sinkTopicsOf, type Topology } from "../topology/nodes.ts";
import { deadLetterOf, deadLetterTopic, deadLetterTopicName } from "./dead-letters.ts";
import type { Numbers } from "./numbers.ts";
import { Partition, type PartitionPorts } from "./partition.ts";
import { SparingLog } from "./sparing-log.ts";
import { type OnRecordsGone, type Start, type StartFrom, startOf } from "./start-offsets.ts";
import { Task } from "./task.ts";

export interface RunnerOptions {
  readonly topology: Topology;
  readonly kafka: KafkaConnection;
  readonly log: Log;
  readonly clock: Clock;
  readonly numbers: Numbers;
  readonly startFrom: StartFrom;
  readonly onRecordsGone: OnRecordsGone;
  readonly attempts: number;
  readonly backoffMs: number;
  readonly commitEveryMs: number;
  readonly sessionTimeoutMs: number;
  readonly stallAfterMs: number;
  print(label: string, value: unknown, context: RecordContext): void;
}

export interface AppHealth {
  /** Partitions are assigned, state is rebuilt, Kafka answers. */
  readonly ready: boolean;
  /** Nothing is stuck and nothing has failed for good. */
  readonly live: boolean;
  readonly why: string;
  /** Since when no broker answers, wall clock in milliseconds. */
  readonly unreachableSinceMs?: number;
}

/** How often time is told to the clocks of the partitions, and everybody is looked after, in milliseconds. */
const TICK_MS = 100;
/** A broker that has said nothing for so long is called unreachable: several fetches and heartbeats are missing. */
const SILENT_MS = 4_000;
/** Then the consumer is given up: kafkajs may hang without telling. */
const GIVE_UP_MS = 20_000;

export class Runner {
  readonly #options: RunnerOptions;
  readonly #client: Kafka;
  readonly #producer: BatchingProducer;
  readonly #sources: ReadonlyMap<string, SourceNode>;
  readonly #tasks = new Map<string, Task>();
  readonly #failure = Promise.withResolvers<never>();
  readonly #stop = new AbortController();
  readonly #sparing: SparingLog;
  #session: ConsumerSession | undefined;
  #unreachable: { sinceMs: number; reason: string } | undefined;
  #failed: Error | undefined;
  #committing: Promise<void> = Promise.resolve();
  #cancels: Cancel[] = [];
  #owners = 0;
  #refusals = 0;
  readonly #life: string;

  constructor(options: RunnerOptions) {
    const { kafka, log, clock, topology } = options;
    this.#options = options;
    this.#sparing = new SparingLog(log, clock);
    this.#life = `${clock.now().toString(36)}-${Math.floor(Math.random() * 36 ** 6).toString(36)}`;
    this.#sources = new Map(topology.sources.map((source) => [source.topic.name, source]));
    this.#client = createKafka({
      kafka,
      log,
      clientId: topology.name,
      onNotice: (notice) => this.#outOfRange(notice.topic, notice.partition),
    });
    this.#producer = new BatchingProducer({
      client: this.#client,
      log,
      clock,
      lingerMs: 0,
      bufferBytesMax: 8 * 1024 * 1024,
      onTopicMissing: () => this.#ensureTopics(),
    });
    this.#failure.promise.catch(() => undefined);
  }

  /** Until `stop`; rejects when the work can't go on. */
  async run(): Promise<void> {
    this.#every(TICK_MS, (elapsedMs) => this.#tick(elapsedMs));
    this.#every(1_000, () => this.#measure());
    this.#every(this.#options.commitEveryMs, () => void this.#commit(false));
    const stopped = new Promise<void>((resolve) =>
      this.#stop.signal.addEventListener("abort", () => resolve()),
    );
    await Promise.race([this.#supervise(), this.#failure.promise, stopped]).catch(() => undefined);
    await this.#shutDown();
    if (this.#failed !== undefined) throw this.#failed;
  }

  stop(): void {
    this.#stop.abort();
  }

  health(): AppHealth {
    const { unreachable, refusal } = this.#producer;
    const failed = this.#failed ?? refusal;
    if (failed !== undefined) return { ready: false, live: false, why: failed.message };
    const away = this.#unreachable ?? unreachable;
    if (away !== undefined) {
      const why = `Kafka is not reachable since ${new Date(away.sinceMs).toISOString()}: ${away.reason}`;
      return { ready: false, live: true, why, unreachableSinceMs: away.sinceMs };
    }
    if (this.#session?.isReading !== true) {
      return { ready: false, live: true, why: "waiting for partitions from the consumer group" };
    }
    const rebuilding = [...this.#tasks.values()].filter((task) => task.isRebuilding).length;
    if (rebuilding > 0)
      return { ready: false, live: true, why: `rebuilding the state of ${rebuilding} partitions` };
    return { ready: true, live: true, why: `working on ${this.#tasks.size} partitions` };
  }

  /** One consumer after another, until stopped. */
  async #supervise(): Promise<void> {
    const { clock, numbers } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    for (let waitMs = 100; !signal.aborted; ) {
      const startedMs = clock.monotonic();
      const reason = await this.#consume();
      if (signal.aborted || this.#failed !== undefined) return;
      if (isRefusal(reason)) return this.#fail(new KafkaRefusedError("to let the pipeline read", reason));
      if (reason instanceof KafkaRefusedError) return this.#fail(reason);
      numbers.count("consumer_restarts");
      const isLong = clock.monotonic() - startedMs > 10_000;
      failures = isLong ? 1 : failures + 1;
      this.#tellEnd(reason, failures);
      waitMs = isLong ? 100 : Math.min(1_000, waitMs * 2);
      await delay(clock, waitMs, signal);
    }
  }

  #tellEnd(reason: unknown, failuresInRow: number): void {
    if (isBrokerAway(reason)) return this.#lost(messageOf(reason));
    const line = { reason: messageOf(reason), failuresInRow };
    if (isPassing(reason) && failuresInRow < 5)
      this.#options.log.debug(line, "the consumer ended; starting another");
    else this.#options.log.warn(line, "the consumer ended; starting another");
  }

  /** One consumer's life; returns why it ended. */
  async #consume(): Promise<unknown> {
    const { clock, log, topology, sessionTimeoutMs } = this.#options;
    try {
      await this.#ensureTopics();
    } catch (error) {
      return error;
    }
    if (this.#stop.signal.aborted) return undefined;
    const session = new ConsumerSession({
      client: this.#client,
      groupId: topology.name,
      topics: [...this.#sources.keys()],
      log,
      clock,
      sessionTimeoutMs,
      memberId: this.#session?.leftBehind,
      onAssigned: (partitions) => this.#assigned(session, partitions),
      onBatch: (batch) => this.#take(batch),
    });
    this.#session = session;
    void session.start();
    const reason = await session.ended;
    if (!this.#stop.signal.aborted) void session.stop(5_000);
    return reason;
  }

  async #assigned(session: ConsumerSession, partitions: readonly TopicPartition[]) {
    const { clock, log, numbers, topology } = this.#options;
    numbers.count("rebalances");
    const kept = new Set(partitions.map(({ topic, partition }) => keyOf(topic, partition)));
    for (const [key, task] of this.#tasks) {
      if (kept.has(key)) continue;
      task.stop();
      this.#tasks.delete(key);
    }
    const offsets = await offsetsOf(this.#client, clock, topology.name, [...this.#sources.keys()]);
    const starts = partitions.map((each) => ({ ...each, offset: this.#prepare(each, offsets) }));
    await this.#takeOver(session);
    log.info(
      { group: topology.name, partitions: partitions.map((each) => keyOf(each.topic, each.partition)) },
      "partitions assigned",
    );
    return starts;
  }

  /** From here on the group knows who works on the partitions: whoever had them before, and comes back, will see. */
  async #takeOver(session: ConsumerSession): Promise<void> {
    const taken = [...this.#tasks.values()].filter((task) => task.takeOver !== undefined);
    if (taken.length === 0) return;
    await session.commit(
      taken.map((task) => ({
        topic: task.topic,
        partition: task.partitionId,
        offset: task.startPosition,
        metadata: encodeCheckpoint(task.takeOver ?? task.partition.checkpoint(task.owner, false)).text,
      })),
    );
    for (const task of taken) task.takeOver = undefined;
  }

  #prepare({ topic, partition }: TopicPartition, offsets: ReadonlyMap<string, PartitionOffsets>): number {
    const { startFrom, onRecordsGone } = this.#options;
    const key = keyOf(topic, partition);
    const known = offsets.get(key) ?? { low: 0, high: 0, committed: -1, metadata: null };
    const earlier = this.#tasks.get(key);
    const start = startOf(known, earlier, startFrom, onRecordsGone);
    if (start.kind === "continue") return start.offset;
    earlier?.stop();
    if (start.kind === "fresh" && start.why !== undefined) this.#tellStart(topic, partition, known, start);
    this.#tasks.set(key, this.#taskFor(topic, partition, start, known));
    return start.kind === "fresh" ? start.offset : start.readFrom;
  }

  /** Nobody shall learn from missing results alone that records were passed over, or that windows start empty. */
  #tellStart(
    topic: string,
    partition: number,
    { low, high, committed }: PartitionOffsets,
    start: FreshStart,
  ): void {
    const { log, onRecordsGone } = this.#options;
    const fields = { topic, partition, committed, low, high, startingAt: start.offset };
    if (start.why === "topic-recreated") {
      log.warn(fields, "the topic was made anew: starting at its beginning, with empty windows");
      return;
    }
    if (onRecordsGone === "fail") {
      throw new KafkaRefusedError(
        `the next records of ${topic}[${partition}]`,
        `they were deleted before they were worked on (position ${committed}, oldest record ${low}); ` +
          'set onRecordsGone to "earliest" or "latest" to go on without them',
      );
    }
    log.error(
      fields,
      "records were deleted before they were worked on: going on without them, with empty windows",
    );
  }

  #taskFor(
    topic: string,
    partitionId: number,
    start: Exclude<Start, { kind: "continue" }>,
    known: PartitionOffsets,
  ): Task {
    const { clock } = this.#options;
    const source = this.#sources.get(topic);
    if (source === undefined)
      throw new KafkaRefusedError("the assignment", `topic "${topic}" was not asked for`);
    const readFrom = start.kind === "fresh" ? start.offset : start.readFrom;
    const startPosition = start.kind === "fresh" ? start.offset : start.position;
    const partition = new Partition(source, partitionId, readFrom, this.#ports());
    if (start.kind === "resume" && start.checkpoint !== undefined) {
      partition.restore({ checkpoint: start.checkpoint, position: start.position, endOffset: known.high });
    }
    const owner = `${this.#life}-${this.#owners++}`;
    return new Task({
      topic,
      partitionId,
      partition,
      owner,
      startPosition,
      takeOver: partition.checkpoint(owner, false),
      clock,
      room: () => (this.#producer.hasRoom ? undefined : this.#producer.room()),
      onQueue: (isFull) => {
        if (isFull) this.#session?.pause({ topic, partition: partitionId });
        else this.#session?.resume({ topic, partition: partitionId });
      },
      onFailure: (error) => this.#fail(error instanceof Error ? error : gone(String(error))),
    });
  }

  #ports(): PartitionPorts {
    const { topology, numbers, clock, print, attempts, backoffMs } = this.#options;
    return {
      app: topology.name,
      numbers,
      attempts,
      print,
      wallMs: () => clock.now(),
      emit: (record, origin) => this.#emit(record, origin),
      backoff: (attempt) => delay(clock, backoffMs * 2 ** (attempt - 1), this.#stop.signal),
      warn: (fields, message) => this.#sparing.warn(fields, message),
    };
  }

  #emit(record: OutgoingRecord, origin: IncomingRecord): void {
    this.#producer.enqueue(record, (error) => {
      if (error === undefined) return;
      if (error instanceof KafkaRefusedError) return this.#fail(error);
      if (this.#stop.signal.aborted || error.retriable) return;
      if (record.topic === deadLetterTopicName(origin.topic)) return this.#fail(error);
      this.#refusals++;
      const { topic, partition, offset } = origin;
      this.#options.log.warn(
        { topic, partition, offset, reason: error.message },
        "Kafka refuses what a record became",
      );
      this.#emit(deadLetterOf(this.#options.topology.name, origin, "refused", error.message), origin);
    });
  }

  #take({ topic, partition, records, nextOffset, highWatermark }: Batch): boolean {
    const task = this.#tasks.get(keyOf(topic, partition));
    if (task === undefined) return false;
    task.enqueue(records, nextOffset, highWatermark);
    return true;
  }

  #tick(elapsedMs: number): void {
    const session = this.#session;
    const { stallAfterMs } = this.#options;
    for (const task of this.#tasks.values()) {
      task.elapse(elapsedMs, session?.isAtEnd({ topic: task.topic, partition: task.partitionId }) === true);
      if (task.busyMs > stallAfterMs) {
        this.#fail(
          new StalledError(
            `${task.topic}[${task.partitionId}] offset ${task.partition.position}`,
            task.busyMs / 1_000,
          ),
        );
      }
    }
    if (session === undefined) return;
    if (session.isReading && session.silentMs < SILENT_MS) this.#reached();
    if (session.silentMs > SILENT_MS) this.#lost("no answer");
    if (session.silentMs > GIVE_UP_MS) session.end(gone("no broker has answered for too long"));
  }

  #lost(reason: string): void {
    if (this.#unreachable !== undefined) return;
    const { clock, log, kafka } = this.#options;
    this.#unreachable = { sinceMs: clock.now(), reason };
    log.warn({ brokers: kafka.brokers, reason }, "Kafka is not reachable; waiting for it");
  }

  #reached(): void {
    if (this.#unreachable !== undefined) {
      const { clock, log } = this.#options;
      log.info({ awayMs: clock.now() - this.#unreachable.sinceMs }, "Kafka is reachable again");
    }
    this.#unreachable = undefined;
  }

  /** Commits, one after another; see `#commitNow`. */
  #commit(isFinal: boolean): Promise<void> {
    this.#committing = this.#committing
      .then(() => this.#commitNow(isFinal))
      .catch((error: unknown) => this.#fail(error instanceof Error ? error : gone(String(error))));
    return this.#committing;
  }

  /** Takes where each task stands, waits until Kafka has what it told so far, then commits. Never rejects. */
  async #commitNow(isFinal: boolean): Promise<void> {
    const { log, numbers } = this.#options;
    const session = this.#session;
    if (session === undefined) return;
    const news = [...this.#tasks.values()]
      .filter((task) => !task.isRebuilding && (isFinal || task.committedVersion !== task.partition.version))
      .map((task) => ({ task, version: task.partition.version, offset: this.#offsetOf(task, isFinal) }));
    if (news.length === 0) return;
    await this.#delivered();
    if (this.#producer.refusal !== undefined || session !== this.#session) return;
    const current = news.filter(({ task }) => this.#tasks.get(keyOf(task.topic, task.partitionId)) === task);
    try {
      await session.commit(current.map(({ offset }) => offset));
      for (const { task, version } of current) task.committedVersion = version;
      numbers.count("commits");
    } catch (error) {
      // The group moved on, or the broker is away: the next commit says it all.
      log.debug({ reason: messageOf(error) }, "a commit was not taken");
    }
  }

  /** What was told so far is with Kafka; the dead letters of what it refused as well. */
  async #delivered(): Promise<void> {
    let refusals: number;
    do {
      refusals = this.#refusals;
      await this.#producer.flush();
    } while (refusals !== this.#refusals);
  }

  #offsetOf(task: Task, isFinal: boolean) {
    const { text, lost } = encodeCheckpoint(task.partition.checkpoint(task.owner, isFinal));
    const { topic, partitionId: partition } = task;
    if (lost > 0) {
      this.#options.log.warn(
        { topic, partition, lost },
        "too many gaps to note: after a restart some refused records would count",
      );
    }
    return { topic, partition, offset: task.partition.position, metadata: text };
  }

  #measure(): void {
    const { numbers } = this.#options;
    numbers.gauge("broker_reachable", this.#unreachable === undefined ? 1 : 0);
    for (const { topic, partitionId: partition, partition: work, lag, queuedBytes } of this.#tasks.values()) {
      const labels = { topic, partition };
      numbers.gauge("lag_records", lag, labels);
      numbers.gauge("queued_bytes", queuedBytes, labels);
      if (!work.hasWindows) continue;
      numbers.gauge("window_panes", work.paneCount, labels);
      if (work.clockMs !== undefined) numbers.gauge("event_time_clock_seconds", work.clockMs / 1_000, labels);
    }
    numbers.flush();
  }

  /** kafkajs tells of this only in its log. A new consumer decides by what is there, see `startOf`. */
  #outOfRange(topic: string, partition: number): void {
    this.#tasks.get(keyOf(topic, partition))?.stop();
    this.#session?.end(gone(`the records to read next of ${topic}[${partition}] are gone`));
  }

  #topics(): TopicDefinition[] {
    const { topology } = this.#options;
    const sources = topology.sources.map(({ topic }) => topic);
    return [...sources, ...sinkTopicsOf(topology), ...sources.map(deadLetterTopic)];
  }

  async #ensureTopics(): Promise<void> {
    const { log, clock } = this.#options;
    await withAdmin(this.#client, clock, (admin) => createMissing(admin, this.#topics(), log));
  }

  #fail(error: Error): void {
    if (this.#failed !== undefined) return;
    this.#failed = error;
    this.#options.log.error({ reason: error.message }, "the pipeline can't go on");
    this.#failure.reject(error);
  }

  /** Records in work are ended, what they told is delivered, and the position noted; each step has its deadline. */
  async #shutDown(): Promise<void> {
    const { clock, log } = this.#options;
    this.#stop.abort();
    for (const cancel of this.#cancels) cancel();
    const tasks = [...this.#tasks.values()];
    for (const task of tasks) task.stop();
    const isOrderly = await within(clock, 3_000, Promise.all(tasks.map((task) => task.ended)));
    if (this.#failed === undefined) await within(clock, 3_000, this.#commit(isOrderly));
    await this.#session?.stop(3_000);
    const left = await this.#producer.close(1_000);
    this.#options.numbers.flush();
    if (left > 0)
      log.warn({ records: left }, "stopped before Kafka took these records; they will be made again");
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

type FreshStart = Extract<Start, { kind: "fresh" }>;

function gone(why: string): StreamsError {
  return new StreamsError("STREAMS_CLOSED", `The consumer ended: ${why}.`, { retriable: true });
}
