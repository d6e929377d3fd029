/** The tasks of the partitions that are ours: made, kept or ended as the consumer group hands partitions out. */
import { KafkaRefusedError, StalledError } from "../errors.ts";
import { type Batch, keyOf, type TopicPartition } from "../io/consumer-session.ts";
import { homeOf } from "../io/home-partition.ts";
import type { PartitionOffsets } from "../io/offsets.ts";
import type { CommittedPosition } from "../io/transactional-producer.ts";
import type { Clock, Log, OutgoingRecord } from "../ports.ts";
import { changelogRecord } from "../state/changelog.ts";
import { encodeCheckpoint } from "../state/checkpoint.ts";
import type { SourceNode } from "../topology/nodes.ts";
import { FreshStarts } from "./fresh-starts.ts";
import type { Numbers } from "./numbers.ts";
import type { Outlet } from "./outlet.ts";
import { Partition, type PartitionPorts } from "./partition.ts";
import {
  type EarlierWork,
  type OnRecordsGone,
  type Start,
  type StartFrom,
  startOf,
} from "./start-offsets.ts";
import { Task } from "./task.ts";
import { progressRecords } from "./upstreams.ts";

export interface TasksOptions {
  readonly sources: ReadonlyMap<string, SourceNode>;
  readonly log: Log;
  readonly clock: Clock;
  readonly numbers: Numbers;
  readonly startFrom: StartFrom;
  readonly onRecordsGone: OnRecordsGone;
  readonly ports: Omit<PartitionPorts, "emit">;
  /** How many partitions a topic of the app has; 0 where that is not known. */
  readonly widthOf: (topic: string) => number;
  /** Where a partition's outputs go. */
  readonly outletOf: (at: TopicPartition) => Outlet;
  readonly onQueue: (at: TopicPartition, isFull: boolean) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Positions with what to do once the group has them. */
export interface Positions {
  readonly offsets: readonly CommittedPosition[];
  /** What changed of state up to there, and how far it is: to be with Kafka before, or together with them. */
  readonly changes: readonly OutgoingRecord[];
  noted(): void;
}

interface TaskSurroundings {
  /** How many the topic has. */
  readonly partitions: number;
  readonly high: number;
  readonly earlier: EarlierWork | undefined;
}

export class Tasks {
  readonly #options: TasksOptions;
  readonly #tasks = new Map<string, Task>();
  #new: Task[] = [];
  /** Names this process's lives of the work in checkpoints. */
  readonly #process: string;
  #count = 0;

  constructor(options: TasksOptions) {
    this.#options = options;
    const random = Math.floor(Math.random() * 36 ** 6);
    this.#process = `${options.clock.now().toString(36)}-${random.toString(36)}`;
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** Ends the tasks of all other partitions. */
  keepOnly(partitions: readonly TopicPartition[]): void {
    const kept = new Set(partitions.map(({ topic, partition }) => keyOf(topic, partition)));
    for (const [key, task] of this.#tasks) {
      if (kept.has(key)) continue;
      task.stop();
      this.#tasks.delete(key);
      this.#options.numbers.forget(task.topic, task.partitionId);
    }
  }

  /**
   * Creates the partitions' tasks, or keeps those there are; returns the offsets to read from. `widthOf` is how many
   * partitions a topic has.
   *
   * @throws {RecordsGoneError} where records are gone and that is to be a failure.
   */
  prepare(
    partitions: readonly TopicPartition[],
    offsetsOf: (at: TopicPartition) => PartitionOffsets,
    widthOf: (topic: string) => number,
  ): (TopicPartition & { readonly offset: number })[] {
    const news = new FreshStarts(this.#options);
    const starts = partitions.map((each) => ({
      ...each,
      offset: this.#prepare(each, offsetsOf(each), { partitions: widthOf(each.topic), news }),
    }));
    news.tell();
    return starts;
  }

  #prepare(
    { topic, partition }: TopicPartition,
    offsets: PartitionOffsets,
    { partitions, news }: { readonly partitions: number; readonly news: FreshStarts },
  ): number {
    const { sources, onRecordsGone } = this.#options;
    // What lies in a repartition topic was written for us, however late we come.
    const isOwn = sources.get(topic)?.repartition !== undefined;
    const startFrom = isOwn ? "earliest" : this.#options.startFrom;
    const key = keyOf(topic, partition);
    const earlier = this.#earlier({ topic, partition });
    const start = startOf(offsets, earlier, startFrom, onRecordsGone);
    if (start.kind === "continue") return start.offset;
    this.#tasks.get(key)?.stop();
    if (start.kind === "fresh") news.add({ topic, partition }, offsets, start);
    if (start.kind === "resume" && start.checkpoint === undefined && (offsets.metadata ?? "") !== "") {
      this.#options.log.warn(
        { topic, partition, position: start.position, metadata: offsets.metadata?.slice(0, 200) },
        "the metadata of the committed offset can't be read by this version; windows and stores start empty there",
      );
    }
    const task = this.#taskFor({ topic, partition }, start, { partitions, high: offsets.high, earlier });
    this.#tasks.set(key, task);
    this.#new.push(task);
    return start.kind === "fresh" ? start.offset : start.position;
  }

  /** Those that were made since this was last asked. */
  takeNew(): Task[] {
    return this.#new
      .splice(0)
      .filter((task) => this.#tasks.get(keyOf(task.topic, task.partitionId)) === task);
  }

  /** Commits who owns the partitions from here on: a former owner that comes back will see it. */
  takeOver(): Positions[] {
    const taken = [...this.#tasks.values()].filter((task) => !task.isTakenOver);
    return taken.map((task): Positions => {
      const { topic, partitionId: partition, startPosition: offset } = task;
      const metadata = encodeCheckpoint(task.partition.checkpoint());
      return {
        // Before anything is read: else what others write meanwhile would make its records late.
        changes: this.#progressOf(task),
        offsets: [{ topic, partition, offset, metadata }],
        noted: () => {
          task.isTakenOver = true;
        },
      };
    });
  }

  /** The tasks that have moved; all of them where it is the last time. */
  moved(isLast: boolean): Task[] {
    const isNews = (task: Task) => isLast || task.committedVersion !== task.partition.version;
    // Until its owner is committed, nothing is processed.
    const isOurs = (task: Task) => task.isTakenOver && !task.isBroken;
    return [...this.#tasks.values()].filter((task) => isOurs(task) && isNews(task));
  }

  /** Where the task stands now; nothing once it is no longer ours. */
  newsOf(task: Task): Positions {
    const { app, wallMs } = this.#options.ports;
    const { version } = task.partition;
    const news = task.partition.takeNews();
    const logged = news.changes.map((change) => changelogRecord(app, task.partitionId, change, wallMs()));
    const changes = [...logged, ...this.#progressOf(task)];
    const { note } = news;
    const { topic, partitionId: partition } = task;
    const metadata = encodeCheckpoint(note.checkpoint);
    const position = { topic, partition, offset: note.position, metadata };
    const isOurs = () => this.#tasks.get(keyOf(task.topic, task.partitionId)) === task;
    return {
      changes,
      // Read when they are committed: it may have gone to another meanwhile.
      get offsets() {
        return isOurs() ? [position] : [];
      },
      noted: () => {
        task.committedVersion = version;
        task.committed = { position: note.position, records: note.position - task.committed.position };
        task.partition.noted(note);
      },
    };
  }

  /** Those whose partitions somebody else may have processed, or that have to be recreated for another reason. */
  notContinued(
    partitions: readonly TopicPartition[],
    offsetsOf: (at: TopicPartition) => PartitionOffsets,
  ): TopicPartition[] {
    const { startFrom, onRecordsGone } = this.#options;
    return partitions.filter((each) => {
      const earlier = this.#earlier(each);
      return startOf(offsetsOf(each), earlier, startFrom, onRecordsGone).kind !== "continue";
    });
  }

  take({ topic, partition, records, nextOffset, highWatermark }: Batch): boolean {
    const task = this.#tasks.get(keyOf(topic, partition));
    if (task === undefined) return false;
    task.enqueue(records, nextOffset, highWatermark);
    return true;
  }

  /** Time has passed; `isAtEnd` knows which partitions have nothing more to read. */
  elapse(elapsedMs: number, isAtEnd: (at: TopicPartition) => boolean): void {
    const isDone = (task: Task) => isAtEnd({ topic: task.topic, partition: task.partitionId });
    const busyTopics = new Set<string>();
    for (const task of this.#tasks.values()) {
      if (!isDone(task) || !task.isIdle) busyTopics.add(task.topic);
    }
    for (const task of this.#tasks.values()) {
      // There is more to come from where its records come from: only the end of all of it is silence.
      const upstream = this.#options.sources.get(task.topic)?.repartition?.upstream ?? [];
      task.elapse(elapsedMs, isDone(task) && !upstream.some((topic) => busyTopics.has(topic)));
    }
  }

  /** An error if a record has been processing for longer than that. */
  stalled(afterMs: number): StalledError | undefined {
    for (const { topic, partitionId, partition, busyMs } of this.#tasks.values()) {
      if (busyMs > afterMs)
        return new StalledError(`${topic}[${partitionId}] offset ${partition.position}`, busyMs / 1_000);
    }
    return undefined;
  }

  /** The partition's queue is worth nothing any more. */
  drop({ topic, partition }: TopicPartition): void {
    this.#tasks.get(keyOf(topic, partition))?.stop();
  }

  /** Ends them all; resolves when what was under way is done. */
  async stop(): Promise<void> {
    await Promise.all([...this.#tasks.values()].map((task) => task.drain()));
  }

  measure(): void {
    const { numbers, ports } = this.#options;
    for (const task of this.#tasks.values()) {
      const { topic, partitionId: partition, partition: work } = task;
      const labels = { topic, partition };
      const lagMs = task.eventTimeLagMs(ports.wallMs());
      numbers.gauge("lag_records", task.lag, labels);
      if (lagMs !== undefined) numbers.gauge("event_time_lag_seconds", lagMs / 1_000, labels);
      numbers.gauge("queued_bytes", task.queuedBytes, labels);
      numbers.gauge("commit_records", task.committed.records, labels);
      for (const [store, { size }] of work.stores) numbers.gauge("store_values", size, { ...labels, store });
      if (!work.hasWindows) continue;
      numbers.gauge("window_panes", work.paneCount, labels);
      if (work.clockMs !== undefined) numbers.gauge("event_time_clock_seconds", work.clockMs / 1_000, labels);
    }
  }

  /**
   * A broken task's position still says where the topic had come. One that was never noted was never begun, and what was
   * known before it still holds: without that, a recreated topic would be taken for one that is new to us.
   */
  #earlier({ topic, partition }: TopicPartition): EarlierWork | undefined {
    const task = this.#tasks.get(keyOf(topic, partition));
    if (task === undefined) return undefined;
    if (!task.isTakenOver) return task.earlier;
    return task.isBroken ? notToContinue(task) : task;
  }

  /** What is new of how far it is, for the topics in which its records continue under another key. */
  #progressOf(task: Task): OutgoingRecord[] {
    const { ports, widthOf } = this.#options;
    const { topic, partitionId: partition, lag } = task;
    const progress = lag > 0 ? task.partition.reachedMs : undefined;
    if (task.announced === String(progress)) return [];
    task.announced = String(progress);
    return task.partition.regroupedTo.flatMap((to) =>
      progressRecords({ topic, partition }, progress, { topic: to, partitions: widthOf(to) }, ports.wallMs()),
    );
  }

  #taskFor(
    at: TopicPartition,
    start: Exclude<Start, { kind: "continue" }>,
    { partitions, high, earlier }: TaskSurroundings,
  ): Task {
    const { sources, clock, ports, outletOf, onQueue, onFailure } = this.#options;
    const source = sources.get(at.topic);
    if (source === undefined)
      throw new KafkaRefusedError("the assignment", `topic "${at.topic}" was not asked for`);
    const position = start.kind === "fresh" ? start.offset : start.position;
    const revisionBase = start.kind === "fresh" ? start.revisionBase : 0;
    const isHome = partitions > 1 ? homeOf(at.partition, partitions) : undefined;
    const outlet = outletOf(at);
    const emit: PartitionPorts["emit"] = (record, origin) => outlet.emit(record, origin);
    const owner = `${this.#process}-${this.#count++}`;
    const partition = new Partition({
      ...{ source, partition: at.partition, position, owner, revisionBase },
      ports: { ...ports, isHome, emit },
    });
    const checkpoint = start.kind === "resume" ? start.checkpoint : undefined;
    if (checkpoint !== undefined) partition.restore(checkpoint);
    return new Task({
      topic: at.topic,
      partitionId: at.partition,
      partition,
      owner,
      startPosition: position,
      blocks: checkpoint?.blocks ?? 0,
      earlier: earlier === undefined ? undefined : notToContinue(earlier),
      highWatermark: high,
      clock,
      outlet,
      onQueue: (isFull) => onQueue(at, isFull),
      onFailure,
    });
  }
}

/** Where the work stood, of which nothing else is left. */
function notToContinue({ nextOffset, revisionBase }: EarlierWork): EarlierWork {
  return { owner: "", nextOffset, revisionBase };
}
