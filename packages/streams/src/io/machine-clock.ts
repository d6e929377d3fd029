/** The machine's time: the default where no clock is handed in. */
import { performance } from "node:perf_hooks";
import * as timers from "node:timers";
import { StreamsError } from "../errors.ts";
import type { Clock } from "../ports.ts";

export const machineClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (run, delayMs) => {
    const timer = timers.setTimeout(run, delayMs);
    return () => timers.clearTimeout(timer);
  },
};

/** A promise of the clock's time. */
export function delay(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}

/** Waits for the promise, but not longer than the limit; says whether it was done in time. Never rejects. */
export function within(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.setTimeout(() => resolve(false), limitMs);
    const settled = () => {
      cancel();
      resolve(true);
    };
    work.then(settled, settled);
  });
}

/** The work's outcome, or an error where it takes longer than that: kafkajs may hang without telling. */
export function inTime<R>(clock: Clock, limitMs: number, what: string, work: Promise<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    const late = `${what} took longer than ${limitMs / 1_000} s.`;
    const cancel = clock.setTimeout(
      () => reject(new StreamsError("STREAMS_CLOSED", late, { retriable: true })),
      limitMs,
    );
    work.then(resolve, reject).finally(cancel);
  });
}

/** Lets everything else have its turn: sockets, heartbeats, timers. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => timers.setImmediate(resolve));
}
