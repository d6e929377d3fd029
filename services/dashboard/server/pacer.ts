/** When news of a room goes out: at once while there is little, in batches at a steady rate when there is much. */
import type { Cancel, Clock } from "@kelvin/service-kit";

/** So many may go out at once after a silence: a KPI does not make the reading after it wait. */
export const BURST = 3;

export class Pacer {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #flush: (room: string) => boolean;
  /** When each room's next batch would go at the steady rate; only for as long as that is to come. */
  readonly #steadyMs = new Map<string, number>();
  readonly #due = new Set<string>();
  #timer: { atMs: number; cancel: Cancel } | undefined;

  /**
   * @param everyMs the time between two batches of a room at the steady rate
   * @param flush sends what there is to tell to a room, and says whether there was anything
   */
  constructor(clock: Clock, everyMs: number, flush: (room: string) => boolean) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#flush = flush;
  }

  /** There is news for the room. What else comes before the end of this turn of the event loop goes with it. */
  mark(room: string): void {
    if (this.#due.has(room)) return;
    this.#due.add(room);
    this.#wakeAt(this.#dueMs(room));
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due.clear();
  }

  /** The generic cell rate algorithm (ITU-T I.371): a steady rate, with a tolerance for bursts. */
  #dueMs(room: string): number {
    const steadyMs = this.#steadyMs.get(room) ?? Number.NEGATIVE_INFINITY;
    return steadyMs - (BURST - 1) * this.#everyMs;
  }

  #wakeAt(atMs: number): void {
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.cancel();
    const waitMs = Math.max(0, Math.ceil(atMs - this.#clock.monotonic()));
    this.#timer = { atMs, cancel: this.#clock.setTimeout(() => this.#wake(), waitMs) };
  }

  #wake(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const room of [...this.#due]) {
      const dueMs = this.#dueMs(room);
      if (dueMs <= nowMs) {
        this.#due.delete(room);
        this.#send(room);
      } else nextMs = Math.min(nextMs, dueMs);
    }
    for (const [room, steadyMs] of this.#steadyMs) if (steadyMs <= nowMs) this.#steadyMs.delete(room);
    if (nextMs !== Number.POSITIVE_INFINITY) this.#wakeAt(nextMs);
  }

  #send(room: string): void {
    if (!this.#flush(room)) return;
    const nowMs = this.#clock.monotonic();
    this.#steadyMs.set(room, Math.max(this.#steadyMs.get(room) ?? nowMs, nowMs) + this.#everyMs);
  }
}
