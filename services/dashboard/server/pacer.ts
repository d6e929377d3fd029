/** When news of a room goes out: at once after a silence, else at most once in `everyMs`. */
import type { Cancel, Clock } from "@kelvin/service-kit";

export class Pacer {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #flush: (room: string) => void;
  /** When each room was last sent; only for as long as it matters. */
  readonly #sentMs = new Map<string, number>();
  readonly #due = new Set<string>();
  #timer: { atMs: number; cancel: Cancel } | undefined;

  /** @param flush sends what there is to tell to a room */
  constructor(clock: Clock, everyMs: number, flush: (room: string) => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#flush = flush;
  }

  /** There is news for the room. What else comes before the end of this turn of the event loop goes with it. */
  mark(room: string): void {
    if (this.#due.has(room)) return;
    this.#due.add(room);
    const sentMs = this.#sentMs.get(room);
    this.#wakeAt(sentMs === undefined ? this.#clock.monotonic() : sentMs + this.#everyMs);
  }

  /** Sends now what is marked for the room. */
  flushNow(room: string): void {
    if (this.#due.delete(room)) this.#send(room);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due.clear();
  }

  #wakeAt(atMs: number): void {
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.cancel();
    const cancel = this.#clock.setTimeout(
      () => this.#wake(),
      Math.max(0, Math.ceil(atMs - this.#clock.monotonic())),
    );
    this.#timer = { atMs, cancel };
  }

  #wake(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    for (const [room, sentMs] of this.#sentMs) {
      if (nowMs - sentMs >= this.#everyMs && !this.#due.has(room)) this.#sentMs.delete(room);
    }
    let nextMs = Number.POSITIVE_INFINITY;
    for (const room of [...this.#due]) {
      const dueMs = (this.#sentMs.get(room) ?? Number.NEGATIVE_INFINITY) + this.#everyMs;
      if (dueMs <= nowMs) {
        this.#due.delete(room);
        this.#send(room);
      } else nextMs = Math.min(nextMs, dueMs);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#wakeAt(nextMs);
  }

  #send(room: string): void {
    this.#sentMs.set(room, this.#clock.monotonic());
    this.#flush(room);
  }
}
