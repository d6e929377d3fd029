/** A clock that a test moves by hand. */
import type { Cancel, Clock } from "@kelvin/service-kit";

export class ManualClock implements Clock {
  /** Since the start; timers go by it. */
  #elapsedMs = 0;
  /** Where the wall clock was at the start, and every setting of it since. */
  #wallMs: number;
  #timers: { atMs: number; run: () => void }[] = [];

  constructor(startMs: number) {
    this.#wallMs = startMs;
  }

  now(): number {
    return this.#wallMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimeout(run: () => void, delayMs: number): Cancel {
    const timer = { atMs: this.#elapsedMs + Math.max(0, delayMs), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass, from timer to timer, and what they wake get its turn. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#elapsedMs + byMs;
    await turns();
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      next.run();
      await turns();
    }
    this.#elapsedMs = untilMs;
  }

  /** The wall clock is set, or the machine slept: timers have not noticed. */
  jump(byMs: number): void {
    this.#wallMs += byMs;
  }
}

/** Enough turns for promises that wait for promises. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
