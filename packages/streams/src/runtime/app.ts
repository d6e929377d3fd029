/** The app: pipelines are described on it, and then run, tested or rendered. */
import { StreamsError, TopologyError } from "../errors.ts";
import type { Print } from "../io/live-table.ts";
import { machineClock } from "../io/machine-clock.ts";
import type { Clock, KafkaConnection, Log, Metrics, TopicLike } from "../ports.ts";
import { type Blueprint, dataFrameOf } from "../topology/build.ts";
import type { StreamingDataFrame } from "../topology/dataframe.ts";
import { type DescribeFormat, describe } from "../topology/describe.ts";
import { policiesOf, type SourceNode, type Topology } from "../topology/nodes.ts";
import type { OnFailure } from "../topology/step.ts";
import type { Guarantee } from "./commits.ts";
import { waitsMs } from "./faults.ts";
import { Numbers } from "./numbers.ts";
import { type AppHealth, Runner } from "./runner.ts";
import type { OnRecordsGone, StartFrom } from "./start-offsets.ts";
import { TestDriver, type TestDriverOptions } from "./test-driver.ts";

/**
 * An app's required and optional settings. Times are in milliseconds. Kafka Streams' `StreamsConfig`.
 */
export interface StreamAppOptions {
  /** The app's name: it is the consumer group, and appears in result ids and dead letters. */
  readonly name: string;
  readonly kafka: KafkaConnection;
  readonly log: Log;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
  /**
   * Where a group without committed offsets starts. Kafka's `auto.offset.reset`. A topic that was deleted and recreated
   * while the app ran is always read from its beginning. @default "latest"
   */
  readonly startFrom?: StartFrom;
  /**
   * What to do if records were deleted (by retention) before they were processed: continue at the oldest record, at the
   * end, or stop the app with an error. Always logged. Kafka's `auto.offset.reset`. @default "earliest"
   */
  readonly onRecordsGone?: OnRecordsGone;
  /**
   * Total number of attempts for a record on which a function throws. A step can override it, see
   * {@link StepOptions}. @default 3
   */
  readonly attempts?: number;
  /**
   * Milliseconds before the second attempt; doubled for each further one, up to a minute. The waits of a record must
   * add up to less than `stallAfterMs`; its partition is blocked meanwhile. @default 100
   */
  readonly backoffMs?: number;
  /**
   * The guarantee when a process or a broker dies, see {@link Guarantee}. Kafka Streams' `processing.guarantee`.
   * "exactly-once" costs latency, because `read_committed` readers see outputs when their transaction ends, and a
   * connection per partition. @default "at-least-once"
   */
  readonly guarantee?: Guarantee;
  /**
   * What to do with a record that failed all its attempts. Kafka Streams' `processing.exception.handler`, Quix'
   * `on_processing_error`; both stop by default. @default "dead-letter"
   */
  readonly onFailure?: OnFailure;
  /**
   * What to do with a record that doesn't match its topic's schema. Kafka Streams'
   * `deserialization.exception.handler`, Quix' `on_consumer_error`. @default "dead-letter"
   */
  readonly onInvalid?: OnFailure;
  /**
   * Interval between offset commits, in milliseconds. Kafka Streams' `commit.interval.ms`. Small values cost requests;
   * large ones mean more records processed twice after a crash or, under "exactly-once", more latency.
   * @default 200, with "exactly-once" 80
   */
  readonly commitEveryMs?: number;
  /**
   * How long a killed process's partitions wait before another process gets them, in milliseconds. Kafka's
   * `session.timeout.ms`; brokers allow 6,000 and more. @default 6000
   */
  readonly sessionTimeoutMs?: number;
  /** A record that has been processed for longer than this, in milliseconds, stops the app with an error. @default 60000 */
  readonly stallAfterMs?: number;
  /**
   * Displays the values of `print`; `liveTable(process.stdout)` shows them as tables in a terminal.
   *
   * @default a log line at level info
   */
  readonly print?: Print | undefined;
}

/** Pipelines that run together under one name, and therefore in one consumer group. */
export interface StreamApp {
  readonly name: string;
  /**
   * The values of a topic. Records that don't match its schema go to the dead-letter topic `<name>.dlq`. Quix' `dataframe`,
   * Kafka Streams' `StreamsBuilder.stream`.
   *
   * @throws {TopologyError} if the app runs already, or has another definition of that topic.
   */
  dataframe<T>(topic: TopicLike<T>): StreamingDataFrame<T>;
  /** The topology in readable form. Kafka Streams' `Topology.describe`; Quix has no equivalent. */
  describe(format: DescribeFormat): string;
  /** The described topology, for the test driver. */
  readonly topology: Topology;
  /**
   * Runs until `stop` is called or the signal is aborted, and then resolves. Waits for a broker as long as it takes.
   *
   * @throws if processing can't continue: {@link KafkaRefusedError}, {@link StalledError}, {@link DeliveryError}; where the
   * policy is "fail", {@link ProcessingError}, {@link InvalidRecordError}, and {@link RecordsGoneError}. The process should
   * then exit with a non-zero code.
   * @throws {TopologyError} if the app reads no topic; {@link StreamsError} if it was run before, or a step's waits add up to
   * more than `stallAfterMs`.
   */
  run(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Finishes current records, delivers their outputs, commits and leaves the group. Takes at most about 10 s. */
  stop(): Promise<void>;
  health(): AppHealth;
  /** Runs the topology without a broker and without real time; see {@link TestDriver} for the differences. */
  testDriver(options?: TestDriverOptions): TestDriver;
}

/**
 * Creates an app: describe pipelines on it, then run it once. Nothing connects before `run`. Quix' `Application`, Kafka
 * Streams' `StreamsBuilder` and `KafkaStreams`.
 *
 * @throws {StreamsError} with code STREAMS_BAD_OPTION if an option is invalid.
 */
export function createStreamApp(options: StreamAppOptions): StreamApp {
  const settings = checked(options);
  const sources = new Map<string, SourceNode>();
  const blueprint: Blueprint = {
    app: options.name,
    stateNames: new Set(),
    addSource(source) {
      const { name } = source.topic;
      if (sources.has(name))
        throw new TopologyError(`Topic "${name}" is already in use; choose another name.`);
      sources.set(name, source);
    },
  };
  const topology: Topology = {
    name: options.name,
    get sources() {
      return [...sources.values()];
    },
  };
  let runner: Runner | undefined;
  let running: Promise<void> | undefined;

  return {
    name: options.name,
    topology,
    dataframe<T>(topic: TopicLike<T>) {
      if (runner !== undefined)
        throw new TopologyError(`App "${options.name}" is already running; describe pipelines before run().`);
      const known = sources.get(topic.name);
      if (known !== undefined && known.topic !== topic) {
        throw new TopologyError(`Topic "${topic.name}" has two different definitions; use one of them.`);
      }
      const source: SourceNode = known ?? { kind: "source", topic, next: [] };
      sources.set(topic.name, source);
      return dataFrameOf<T>(source, blueprint);
    },
    describe: (format) => describe(topology, format),
    async run({ signal } = {}) {
      if (runner !== undefined)
        throw new StreamsError(
          "STREAMS_CLOSED",
          `App "${options.name}" has already been run; create another one.`,
        );
      if (sources.size === 0)
        throw new TopologyError(`App "${options.name}" reads no topic; call dataframe() first.`);
      for (const { attempts, backoffMs } of policiesOf(topology)) {
        const { policy, stallAfterMs } = settings;
        mustNotStall(attempts ?? policy.attempts, backoffMs ?? policy.backoffMs, stallAfterMs);
      }
      const started = new Runner({ ...settings, topology });
      runner = started;
      if (signal?.aborted) return;
      signal?.addEventListener("abort", () => started.stop());
      running = started.run();
      await running;
    },
    async stop() {
      runner?.stop();
      await running?.catch(() => undefined);
    },
    testDriver: (driverOptions) => new TestDriver(topology, settings.policy, driverOptions),
    health: () => runner?.health() ?? { ready: false, live: true, why: "not started" },
  };
}

function checked(options: StreamAppOptions) {
  const { name, kafka, log, clock = machineClock, metrics, startFrom = "latest" } = options;
  const { onRecordsGone = "earliest", guarantee = "at-least-once" } = options;
  const { onFailure = "dead-letter", onInvalid = "dead-letter" } = options;
  const {
    attempts = 3,
    backoffMs = 100,
    commitEveryMs = guarantee === "exactly-once" ? 80 : 200,
    sessionTimeoutMs = 6_000,
    stallAfterMs = 60_000,
  } = options;
  const bounds = { attempts, backoffMs, commitEveryMs, sessionTimeoutMs, stallAfterMs };
  for (const [option, value] of Object.entries(bounds)) {
    const least = option === "backoffMs" ? 0 : 1;
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new StreamsError(
      "STREAMS_BAD_OPTION",
      `${option} is ${value}; it must be a whole number of at least ${least}.`,
    );
  }
  mustNotStall(attempts, backoffMs, stallAfterMs);
  if (name === "")
    throw new StreamsError("STREAMS_BAD_OPTION", "An app needs a name: it is the consumer group.");
  const inLog: Print = (label, value, { key, timestampMs }) =>
    log.info({ label, key, timestampMs, value }, "record");
  const { print = inLog } = options;
  return {
    kafka,
    log,
    clock,
    startFrom,
    onRecordsGone,
    guarantee,
    print,
    metrics,
    numbers: new Numbers(metrics, name),
    policy: { attempts, backoffMs, onFailure, onInvalid },
    commitEveryMs,
    sessionTimeoutMs,
    stallAfterMs,
  };
}

function mustNotStall(attempts: number, backoffMs: number, stallAfterMs: number): void {
  const waitMs = waitsMs({ attempts, backoffMs });
  if (waitMs < stallAfterMs) return;
  throw new StreamsError(
    "STREAMS_BAD_OPTION",
    `A record that keeps failing waits ${waitMs} ms between its ${attempts} attempts; that must be less than stallAfterMs, ` +
      `which is ${stallAfterMs}: lower attempts or backoffMs, or raise stallAfterMs.`,
  );
}
