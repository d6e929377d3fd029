/** Readings on their way to Kafka: kept in order and in bounds while it can't be reached. */
import type { Clock, Log } from "@kelvin/service-kit";

export interface OutboxOptions<T> {
  /** Resolves when Kafka has it. */
  send(value: T): Promise<unknown>;
  /** How many may wait; beyond them the oldest are dropped. */
  capacity: number;
  clock: Clock;
  log: Log;
  onDropped?(count: number): void;
}

/** So many are handed to the client together; it makes batches of them. */
const BATCH = 1000;
const RETRY_MS = 1000;
/** How often dropped readings are logged, with their number. */
const REPORT_MS = 10_000;

/**
 * A queue with one sender. Order is kept: what Kafka refused for now goes back to the front.
 *
 * An error that says of itself `retriable: false` ends the outbox: `failed` rejects with it.
 */
export class Outbox<T> {
  readonly failed: Promise<never>;
  readonly #options: OutboxOptions<T>;
  readonly #stop = new AbortController();
  #fail: (error: unknown) => void = () => {};
  #waiting: T[] = [];
  #inFlight = 0;
  #dropped = 0;
  #droppedUnsaid = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #troubledSince: number | undefined;
  #isSending = false;
  #emptied: (() => void)[] = [];

  constructor(options: OutboxOptions<T>) {
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  /** How many are not acknowledged yet. */
  get size(): number {
    return this.#waiting.length + this.#inFlight;
  }

  /** How many were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a value to send, and drops the oldest waiting one where there is no room. */
  offer(value: T): void {
    this.#waiting.push(value);
    const surplus = Math.min(this.size - this.#options.capacity, this.#waiting.length);
    if (surplus > 0) this.#drop(surplus);
    if (!this.#isSending) void this.#run();
  }

  /** Waits until all is acknowledged, or `giveUp` is aborted. */
  async emptied(giveUp?: AbortSignal): Promise<void> {
    if (this.size === 0 || giveUp?.aborted) return;
    await new Promise<void>((resolve) => {
      this.#emptied.push(resolve);
      giveUp?.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Sends nothing more. */
  close(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const refused = await this.#sendBatch(this.#waiting.splice(0, BATCH));
      if (refused === undefined) continue;
      if (isFinal(refused)) {
        this.#fail(refused);
        return;
      }
      await this.#pause();
    }
    this.#isSending = false;
    if (this.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }

  /** The error that kept some of the batch back. */
  async #sendBatch(batch: T[]): Promise<unknown> {
    this.#inFlight = batch.length;
    const outcomes = await Promise.allSettled(batch.map((value) => this.#options.send(value)));
    this.#inFlight = 0;
    const refused = outcomes.find((outcome) => outcome.status === "rejected");
    if (refused === undefined) {
      this.#recovered();
      return undefined;
    }
    this.#waiting.unshift(...batch.filter((_, index) => outcomes[index]?.status === "rejected"));
    if (!isFinal(refused.reason)) this.#troubled(refused.reason);
    return refused.reason;
  }

  #troubled(error: unknown): void {
    if (this.#troubledSince !== undefined) return;
    this.#troubledSince = this.#options.clock.now();
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.warn({ reason, waiting: this.size }, "readings can't be sent; buffering them");
  }

  #recovered(): void {
    this.#reportDropped();
    if (this.#troubledSince === undefined) return;
    const seconds = (this.#options.clock.now() - this.#troubledSince) / 1000;
    this.#options.log.info({ afterSeconds: seconds, waiting: this.size }, "sending readings again");
    this.#troubledSince = undefined;
  }

  #drop(count: number): void {
    this.#waiting.splice(0, count);
    this.#dropped += count;
    this.#droppedUnsaid += count;
    this.#options.onDropped?.(count);
    if (this.#options.clock.monotonic() - this.#reportedAt >= REPORT_MS) this.#reportDropped();
  }

  #reportDropped(): void {
    if (this.#droppedUnsaid === 0) return;
    const fields = {
      dropped: this.#droppedUnsaid,
      droppedInAll: this.#dropped,
      capacity: this.#options.capacity,
    };
    this.#options.log.warn(fields, "the buffer is full; dropping the oldest readings (BUFFER_READINGS)");
    this.#droppedUnsaid = 0;
    this.#reportedAt = this.#options.clock.monotonic();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.setTimeout(resolve, RETRY_MS);
      this.#stop.signal.addEventListener(
        "abort",
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
    });
  }
}

function isFinal(error: unknown): boolean {
  return typeof error === "object" && error !== null && "retriable" in error && error.retriable === false;
}
