/** Drives a topology in a test: records in, time advances, records out; all in this process, all deterministic. */
import { DriverError } from "../errors.ts";
import type { IncomingRecord, OutgoingRecord, TopicLike } from "../ports.ts";
import { changelogRecord, ReadChangelog } from "../state/changelog.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../state/checkpoint.ts";
import { type Duration, milliseconds } from "../topology/duration.ts";
import type { RecordContext, SourceNode, Topology } from "../topology/nodes.ts";
import { chanceOf, shuffledWithin } from "./chance.ts";
import { type DeadLetter, deadLetterTopicName, parseDeadLetter } from "./dead-letters.ts";
import type { FailurePolicy } from "./faults.ts";
import { Numbers } from "./numbers.ts";
import { Partition, type PartitionPorts } from "./partition.ts";

/** Options of a test: its clock, commits and seed. */
export interface TestDriverOptions {
  /** Wall clock at the start, in milliseconds. @default the event time of the first record */
  readonly startMs?: number;
  /** Whether to commit after each step, or only on `commit`. @default "each-step" */
  readonly commit?: "each-step" | "by-hand";
  /** Total number of attempts for a record. @default the app's */
  readonly attempts?: number;
  /** Seed for the random choices of `pipeOutOfOrder` and `rebalance`: the same seed gives the same test. @default 1 */
  readonly seed?: number;
}

/** A record written by a pipeline. */
export interface WrittenRecord<T> {
  readonly key: string;
  readonly value: T;
  /** Kafka's timestamp. */
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** A dead letter, with the original record. */
export interface ReadDeadLetter extends DeadLetter {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | null;
  /** The record's own, and those of {@link deadLetterHeaders}. */
  readonly headers: Readonly<Record<string, string | Uint8Array>>;
}

interface Lane {
  readonly source: SourceNode;
  readonly log: IncomingRecord[];
  /** Of stores and windows, by name: what was committed of them, and what was written without being. */
  readonly changelogs: Map<string, OutgoingRecord[]>;
  partition: Partition;
  committed: { readonly position: number; readonly text: string };
}

/** As in the runtime: how often time is told to the clocks. */
const TICK_MS = 100;

/**
 * A test driver, like Kafka Streams' TopologyTestDriver. Differences from the real runtime:
 *
 * - Each topic has one partition: keys don't spread, and a topic moves to another process as a whole.
 * - A process that loses a partition is dead: two never write at once, as they may for a moment on Kafka.
 * - The wall clock stands still until `advanceWallClock`, and a source is always read to its end.
 * - A topic that the app both writes and reads passes records on at once.
 * - By default, offsets are committed after each step; the runtime commits every `commitEveryMs`.
 * - Retries follow at once, and `applyAsync` processes one record at a time.
 * - Kafka never refuses anything: sizes, names and permissions are not checked.
 *
 * Record processing, windows, dead letters, checkpoints and changelogs are the runtime's own code.
 */
export class TestDriver {
  readonly #topology: Topology;
  readonly #policy: FailurePolicy;
  readonly #options: TestDriverOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #written = new Map<string, OutgoingRecord[]>();
  readonly #printed: { label: string; value: unknown }[] = [];
  readonly #chance: () => number;
  #passedOn: OutgoingRecord[] = [];
  #wallMs: number | undefined;
  #lives = 0;
  /** Work that waits for functions of the pipeline that are asynchronous. */
  #pending: Promise<void> | undefined;

  constructor(topology: Topology, policy: FailurePolicy, options: TestDriverOptions = {}) {
    this.#topology = topology;
    this.#policy = policy;
    this.#options = options;
    this.#wallMs = options.startMs;
    this.#chance = chanceOf(options.seed ?? 1);
    for (const source of topology.sources) {
      const partition = this.#partitionOf(source, 0);
      const committed = noted(partition);
      this.#lanes.set(source.topic.name, { source, log: [], changelogs: new Map(), partition, committed });
    }
  }

  /** Wall clock in milliseconds. */
  get wallMs(): number {
    return this.#wallMs ?? 0;
  }

  /** Sends a value to a topic that the app reads. Its Kafka timestamp is the wall clock's unless given. */
  pipe<T>(topic: TopicLike<T>, value: T, options: { readonly timestampMs?: number } = {}): this {
    const timestampMs = options.timestampMs ?? this.#wallMs ?? topic.eventTimeMs(value, 0);
    this.#wallMs ??= topic.eventTimeMs(value, timestampMs);
    return this.pipeBytes(topic, {
      key: Buffer.from(topic.key(value)),
      value: topic.encode(value),
      timestampMs,
    });
  }

  /**
   * Sends values to a topic in a random order, from the seed: none comes after one that was more than `places` behind it.
   * Their Kafka timestamps are their event times, like those of devices that send late.
   */
  pipeOutOfOrder<T>(
    topic: TopicLike<T>,
    values: readonly T[],
    { places }: { readonly places: number },
  ): this {
    for (const value of shuffledWithin(values, places, this.#chance)) {
      this.pipe(topic, value, { timestampMs: topic.eventTimeMs(value, this.wallMs) });
    }
    return this;
  }

  /** Sends a record of arbitrary bytes to a topic that the app reads. */
  pipeBytes(
    topic: { readonly name: string },
    record: {
      readonly key?: Uint8Array | null;
      readonly value: Uint8Array | null;
      readonly timestampMs?: number;
    },
  ): this {
    const lane = this.#lane(topic.name);
    this.#wallMs ??= record.timestampMs ?? 0;
    const { key = null, value, timestampMs = this.#wallMs } = record;
    this.#step(() => this.#take(lane, { key, value, timestampMs, headers: {} }));
    return this;
  }

  /** Lets time pass without records. */
  advanceWallClock(duration: Duration): this {
    let leftMs = milliseconds(duration);
    while (leftMs > 0) {
      const elapsedMs = Math.min(TICK_MS, leftMs);
      leftMs -= elapsedMs;
      this.#step(() => {
        this.#wallMs = this.wallMs + elapsedMs;
        return inTurn([...this.#lanes.values()], ({ partition }) => partition.elapse(elapsedMs, true));
      });
    }
    return this;
  }

  /** Steps the wall clock, back if the number is negative, without time passing. */
  stepWallClock(byMs: number): this {
    this.#wallMs = this.wallMs + byMs;
    return this;
  }

  /** Commits the offsets and state. */
  commit(): this {
    this.#step(() => this.#note());
    return this;
  }

  /** The process shuts down gracefully and another takes over. */
  restart(): this {
    this.#step(() => {
      this.#note();
      return this.#comeBack();
    });
    return this;
  }

  /** The process is killed; another takes over from the last commit. What was written stays written. */
  crash(): this {
    this.#step(() => this.#comeBack());
    return this;
  }

  /**
   * Moves some topics, chosen from the seed, to another process, which continues them from the last commit; the others
   * stay where they are.
   */
  rebalance(): this {
    this.#step(() =>
      inTurn([...this.#lanes.values()], (lane) => (this.#chance() < 0.5 ? this.#resume(lane) : undefined)),
    );
    return this;
  }

  /**
   * Resets the group to reprocess everything: offsets, stores and repartition topics are deleted, topics are read again
   * from their first record, and what was written stays written.
   */
  replay(): this {
    this.#step(() => {
      const lanes = [...this.#lanes.values()];
      for (const lane of lanes) {
        lane.partition = this.#partitionOf(lane.source, 0);
        lane.committed = noted(lane.partition);
        lane.changelogs.clear();
        if (lane.source.repartition !== undefined) lane.log.length = 0;
      }
      return inTurn(lanes, ({ partition, log }) => inTurn([...log], (record) => partition.process(record)));
    });
    return this;
  }

  /** The values written to the topic since the last read. */
  read<T>(topic: TopicLike<T>): T[] {
    return this.readRecords(topic).map(({ value }) => value);
  }

  /** The records written to the topic since the last read. */
  readRecords<T>(topic: TopicLike<T>): WrittenRecord<T>[] {
    return this.#drain(topic.name).map((record) => {
      const decoded = topic.decode(record.value);
      if (!decoded.ok) {
        const problems = decoded.problems.join("; ");
        throw new DriverError(
          `The pipeline wrote a record to "${topic.name}" that doesn't match the topic's schema: ${problems}`,
        );
      }
      return {
        key: text(record.key),
        value: decoded.value,
        timestampMs: record.timestampMs,
        headers: headersOf(record),
      };
    });
  }

  /** The dead letters of a source since the last read. */
  readDeadLetters(source: { readonly name: string }): ReadDeadLetter[] {
    return this.#drain(deadLetterTopicName(source.name)).flatMap((record) => {
      const letter = parseDeadLetter(record.headers ?? {});
      if (letter === undefined) return [];
      return [{ ...letter, key: record.key, value: record.value, headers: record.headers ?? {} }];
    });
  }

  /** A store's contents, by key. */
  readStore(store: string): Record<string, unknown> {
    this.#mustBeSettled();
    const found = [...this.#lanes.values()].flatMap(({ partition }) => partition.stores.get(store) ?? []);
    if (found.length === 0) throw new DriverError(`App "${this.#topology.name}" has no store "${store}".`);
    const entries = found.flatMap((each) => [...each.entries()]);
    return Object.fromEntries(entries.map(([key, { json }]): [string, unknown] => [key, JSON.parse(json)]));
  }

  /** The values of `print` since the last call. */
  readPrinted(): { label: string; value: unknown }[] {
    this.#mustBeSettled();
    return this.#printed.splice(0);
  }

  /** Resolves when everything is processed; needed if the pipeline has asynchronous functions. */
  async settled(): Promise<this> {
    while (this.#pending !== undefined) await this.#pending;
    return this;
  }

  /** One step after another, also where one has to wait. */
  #step(work: () => void | Promise<void>): void {
    const parts = [work, () => this.#passOn(), () => this.#noteStep(), () => this.#passOn()];
    const whole = () => inTurn(parts, (part) => part());
    const pending = this.#pending === undefined ? whole() : this.#pending.then(whole);
    if (pending === undefined) return;
    const done = pending.finally(() => {
      if (this.#pending === done) this.#pending = undefined;
    });
    this.#pending = done;
  }

  #noteStep(): void {
    if (this.#options.commit !== "by-hand") this.#note();
  }

  /** What was written to topics that the app reads is fed into it. */
  #passOn(): void | Promise<void> {
    const records = this.#passedOn.splice(0);
    if (records.length === 0) return;
    const done = inTurn(records, ({ topic, key, value, timestampMs, headers = {} }) =>
      this.#take(this.#lane(topic), { key: key === null ? null : bytes(key), value, timestampMs, headers }),
    );
    return done === undefined ? this.#passOn() : done.then(() => this.#passOn());
  }

  #take(
    lane: Lane,
    record: Pick<IncomingRecord, "key" | "value" | "timestampMs" | "headers">,
  ): void | Promise<void> {
    const whole = { ...record, topic: lane.source.topic.name, partition: 0, offset: lane.log.length };
    lane.log.push(whole);
    return lane.partition.process(whole);
  }

  #note(): void {
    for (const lane of this.#lanes.values()) {
      // Twice where something waited for being noted.
      for (let version = ""; version !== lane.partition.version; ) {
        version = lane.partition.version;
        const { note, changes } = lane.partition.takeNews();
        for (const change of changes) {
          const records = lane.changelogs.get(change.state) ?? [];
          records.push(changelogRecord(this.#topology.name, 0, change, this.wallMs));
          lane.changelogs.set(change.state, records);
        }
        lane.committed = { position: note.position, text: encodeCheckpoint(note.checkpoint) };
        lane.partition.noted(note);
      }
    }
  }

  #comeBack(): void | Promise<void> {
    return inTurn([...this.#lanes.values()], (lane) => this.#resume(lane));
  }

  /** Another process takes up the work from the last commit. */
  #resume(lane: Lane): void | Promise<void> {
    const { position, text: metadata } = lane.committed;
    const checkpoint = decodeCheckpoint(metadata);
    const partition = this.#partitionOf(lane.source, position);
    lane.partition = partition;
    if (checkpoint !== undefined) partition.restore(checkpoint);
    for (const state of partition.states) {
      const changelog = new ReadChangelog();
      for (const { key, value } of lane.changelogs.get(state) ?? [])
        changelog.take({ key: key === null ? null : bytes(key), value });
      for (const _ of partition.load(state, changelog));
    }
    return inTurn(lane.log.slice(position), (record) => partition.process(record));
  }

  #drain(topic: string): OutgoingRecord[] {
    this.#mustBeSettled();
    const records = this.#written.get(topic) ?? [];
    this.#written.delete(topic);
    return records;
  }

  #mustBeSettled(): void {
    if (this.#pending === undefined) return;
    throw new DriverError("Functions of the pipeline are still running: await settled() before reading.");
  }

  #lane(topic: string): Lane {
    const lane = this.#lanes.get(topic);
    if (lane !== undefined) return lane;
    const known = [...this.#lanes.keys()].map((name) => `"${name}"`).join(", ");
    throw new DriverError(`App "${this.#topology.name}" does not read topic "${topic}"; it reads ${known}.`);
  }

  #partitionOf(source: SourceNode, position: number): Partition {
    const owner = `driver-${this.#lives++}`;
    return new Partition({ source, partition: 0, position, owner, ports: this.#ports() });
  }

  #ports(): PartitionPorts {
    return {
      app: this.#topology.name,
      numbers: new Numbers(undefined, this.#topology.name),
      policy: { ...this.#policy, attempts: this.#options.attempts ?? this.#policy.attempts },
      wallMs: () => this.wallMs,
      backoff: () => undefined,
      warn: () => undefined,
      print: (label: string, value: unknown, _context: RecordContext) =>
        void this.#printed.push({ label, value }),
      emit: (record) => {
        const records = this.#written.get(record.topic) ?? [];
        records.push(record);
        this.#written.set(record.topic, records);
        if (this.#lanes.has(record.topic)) this.#passedOn.push(record);
      },
    };
  }
}

function noted(partition: Partition): Lane["committed"] {
  return { position: partition.position, text: encodeCheckpoint(partition.checkpoint()) };
}

/** One after another; waits only where it has to. */
function inTurn<T>(
  list: readonly T[],
  work: (each: T) => void | Promise<void>,
  from = 0,
): void | Promise<void> {
  for (let i = from; i < list.length; i++) {
    const each = list[i];
    if (each === undefined) continue;
    const done = work(each);
    if (done !== undefined) return done.then(() => inTurn(list, work, i + 1));
  }
}

function bytes(key: Uint8Array | string): Uint8Array {
  return typeof key === "string" ? Buffer.from(key) : key;
}

function text(key: Uint8Array | string | null): string {
  return key === null ? "" : typeof key === "string" ? key : Buffer.from(key).toString("utf8");
}

function headersOf({ headers = {} }: OutgoingRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, text(value)]));
}
