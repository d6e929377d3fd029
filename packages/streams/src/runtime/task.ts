/** One partition's queued records, and the loop that processes them, one at a time, in order. */
import { nextTurn } from "../io/machine-clock.ts";
import type { Clock, IncomingRecord } from "../ports.ts";
import type { Outlet } from "./outlet.ts";
import type { Partition } from "./partition.ts";
import type { EarlierWork } from "./start-offsets.ts";

/** Bytes: above the first the partition is not read on, below the second it is again. */
const QUEUE_BYTES_HIGH = 1024 * 1024;
const QUEUE_BYTES_LOW = 256 * 1024;
/** So many processed records stay in the queue, or as many as still wait. */
const SPENT_MAX = 1_024;
/** How long the loop works before it lets sockets and heartbeats have their turn, in milliseconds. */
const SLICE_MS = 8;

export interface TaskOptions {
  readonly topic: string;
  readonly partitionId: number;
  readonly partition: Partition;
  /** Names this life of the partition in its checkpoints. */
  readonly owner: string;
  /** The group's position. */
  readonly startPosition: number;
  /** How many blocks its changelogs must have at least. */
  readonly blocks: number;
  /** What was known of the partition before, see `Task.earlier`. */
  readonly earlier?: EarlierWork | undefined;
  /** The topic's end when it was last asked for. */
  readonly highWatermark: number;
  readonly clock: Clock;
  readonly outlet: Outlet;
  readonly onQueue: (isFull: boolean) => void;
  /** The loop itself failed: a bug here, not a bad record. */
  readonly onFailure: (error: unknown) => void;
}

export class Task {
  readonly topic: string;
  readonly partitionId: number;
  readonly partition: Partition;
  readonly owner: string;
  readonly startPosition: number;
  readonly outlet: Outlet;
  readonly blocks: number;
  /** Of the work of this process before: until this one is noted, nothing else says that there was any. */
  readonly earlier: EarlierWork | undefined;
  /** The progress last reported to the topics that its records continue in. */
  announced = "";
  /** The owner of the partition is committed; before that nothing is processed. */
  isTakenOver = false;
  readonly #options: TaskOptions;
  #queue: IncomingRecord[] = [];
  #head = 0;
  #queuedBytes = 0;
  #isFull = false;
  #nextOffset: number;
  #skipTo = 0;
  #highWatermark = 0;
  /** Time that has passed while all was processed, and whether something was not before that. */
  #quietMs = 0;
  #wasBusy = false;
  #isRunning = false;
  #ended: Promise<void> = Promise.resolve();
  #isStopped = false;
  #isDraining = false;
  #busySinceMs: number | undefined;
  #cuts: (() => void)[] = [];
  /** What was last committed, to know whether there is news. */
  committedVersion = "";
  /** Where it stood then, and how many records before that it had stood the time before. */
  committed: { readonly position: number; readonly records: number };
  /** What it emitted can't be committed any more: it has to be recomputed from what is committed. */
  isBroken = false;

  constructor(options: TaskOptions) {
    this.#options = options;
    this.topic = options.topic;
    this.partitionId = options.partitionId;
    this.partition = options.partition;
    this.owner = options.owner;
    this.startPosition = options.startPosition;
    this.outlet = options.outlet;
    this.blocks = options.blocks;
    this.earlier = options.earlier;
    this.#highWatermark = options.highWatermark;
    this.#nextOffset = options.partition.position;
    this.committed = { position: options.startPosition, records: 0 };
  }

  /** The offset to read next: after all that is queued. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get revisionBase(): number {
    return this.partition.revisionBase;
  }

  get lag(): number {
    return Math.max(0, this.#highWatermark - this.partition.position);
  }

  /**
   * How old the oldest unprocessed record is, in milliseconds of event time: 0 where there is none, undefined
   * where its time is not known. Of a record that waits here that is Kafka's timestamp; of those that are still at the
   * broker it is known that they came after the last one.
   */
  eventTimeLagMs(wallMs: number): number | undefined {
    if (this.lag === 0) return 0;
    const waiting = this.#busySinceMs === undefined ? this.#queue[this.#head]?.timestampMs : undefined;
    const oldestMs = waiting ?? this.partition.eventTimeMs;
    return oldestMs === undefined ? undefined : Math.max(0, wallMs - oldestMs);
  }

  get isIdle(): boolean {
    return !this.#isRunning && this.#head >= this.#queue.length;
  }

  /** How long the record in work has been in work, in milliseconds. */
  get busyMs(): number {
    return this.#busySinceMs === undefined ? 0 : this.#options.clock.monotonic() - this.#busySinceMs;
  }

  /** Resolves when no record is being processed. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  enqueue(records: readonly IncomingRecord[], nextOffset: number, highWatermark: number): void {
    if (this.#isStopped || this.#isDraining) return;
    for (const record of records) {
      if (record.offset < this.#nextOffset) continue;
      this.#queue.push(record);
      this.#queuedBytes += bytesOf(record);
    }
    this.#nextOffset = Math.max(this.#nextOffset, nextOffset);
    this.#highWatermark = highWatermark;
    this.#skipTo = this.#nextOffset;
    if (!this.#isFull && this.#queuedBytes > QUEUE_BYTES_HIGH) this.#full(true);
    if (this.#isRunning) this.#lookAhead();
    this.#wake();
  }

  /** Time has passed, by a clock that does not step. `isAtEnd`: Kafka has no more records than those that came. */
  elapse(elapsedMs: number, isAtEnd: boolean): void {
    if (!this.partition.hasWindows) return;
    if (isAtEnd && this.isIdle) {
      this.#quietMs += elapsedMs;
      this.#wake();
    } else {
      this.#quietMs = 0;
      this.#wasBusy = true;
    }
  }

  /** Ends after the records that are under way; resolves when they are done. */
  async drain(): Promise<void> {
    if (this.#isStopped) return;
    this.#isDraining = true;
    const { partition } = this.#options;
    this.#queue = this.#queue.slice(this.#head).filter((record) => partition.hasBegun(record));
    this.#head = 0;
    this.#queuedBytes = 0;
    await this.#ended;
    this.stop();
  }

  /** Takes something at the next moment at which no record is half done. */
  cut<R>(take: () => R): Promise<R> {
    return new Promise((resolve) => {
      this.#cuts.push(() => resolve(take()));
      if (this.#busySinceMs === undefined) this.#takeCuts();
    });
  }

  /** Ends after the record in work; what is queued is dropped, to be read again by whoever comes next. */
  stop(): void {
    this.#isStopped = true;
    this.#queue = [];
    this.#head = 0;
    this.#queuedBytes = 0;
  }

  #wake(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#ended = this.#run().then(
      () => {
        this.#isRunning = false;
        if (this.#head < this.#queue.length) this.#wake();
      },
      (error: unknown) => {
        this.#isRunning = false;
        if (!this.#isStopped && !this.#isDraining) this.#options.onFailure(error);
      },
    );
  }

  async #run(): Promise<void> {
    const { clock, partition, outlet } = this.#options;
    let sliceEndMs = clock.monotonic() + SLICE_MS;
    await this.#elapse();
    for (let record = this.#next(); record !== undefined; record = this.#next()) {
      const noRoom = outlet.room();
      if (noRoom !== undefined) await noRoom;
      const work = partition.process(record);
      if (work !== undefined) await this.#guarded(work);
      if (this.#isStopped) return;
      if (clock.monotonic() >= sliceEndMs) {
        await nextTurn();
        await this.#elapse();
        sliceEndMs = clock.monotonic() + SLICE_MS;
      }
    }
    // Records dropped from the queue are not processed.
    if (!this.#isDraining) partition.skipTo(this.#skipTo);
  }

  async #elapse(): Promise<void> {
    if (this.#isStopped) return;
    if (this.#wasBusy) {
      this.#wasBusy = false;
      const told = this.partition.elapse(0, false);
      if (told !== undefined) await this.#guarded(told);
    }
    if (this.#quietMs === 0) return;
    const quietMs = this.#quietMs;
    this.#quietMs = 0;
    const work = this.partition.elapse(quietMs, true);
    if (work !== undefined) await this.#guarded(work);
  }

  async #guarded(work: Promise<void>): Promise<void> {
    this.#busySinceMs = this.#options.clock.monotonic();
    try {
      await work;
    } finally {
      this.#busySinceMs = undefined;
      this.#takeCuts();
    }
  }

  #takeCuts(): void {
    for (const take of this.#cuts.splice(0)) take();
  }

  #next(): IncomingRecord | undefined {
    this.#lookAhead();
    return this.#shift();
  }

  /** Begins what the next records ask of the outside, as many of them as may be under way at once. */
  #lookAhead(): void {
    const { partition } = this.#options;
    if (partition.concurrency === 1 || this.#isStopped || this.#isDraining) return;
    for (let i = this.#head; i < this.#queue.length; i++) {
      const record = this.#queue[i];
      if (record === undefined || !partition.begin(record)) return;
    }
  }

  #shift(): IncomingRecord | undefined {
    if (this.#isStopped) return undefined;
    const record = this.#queue[this.#head];
    if (record === undefined) {
      this.#queue = [];
      this.#head = 0;
      return undefined;
    }
    this.#head++;
    if (this.#head >= SPENT_MAX && this.#head * 2 >= this.#queue.length) this.#dropSpent();
    this.#queuedBytes -= bytesOf(record);
    if (this.#isFull && this.#queuedBytes < QUEUE_BYTES_LOW) this.#full(false);
    return record;
  }

  /** A queue that never runs empty would else keep every record that ever was in it. */
  #dropSpent(): void {
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }

  #full(isFull: boolean): void {
    this.#isFull = isFull;
    this.#options.onQueue(isFull);
  }
}

function bytesOf({ key, value }: IncomingRecord): number {
  return 100 + (key?.length ?? 0) + (value?.length ?? 0);
}
