/** The broker's only source of time: nothing else here calls `Date.now` or `setTimeout`. */

/** A timer that may still be called off. Cancelling one that has fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as the broker is handed it, so that a test can drive it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `fire` once, `delayMs` from now (0 or less: as soon as the event loop is free). */
  setTimer(delayMs: number, fire: () => void): Timer;
}

/** Longest delay a machine timer takes (2^31-1 ms, 24 days); beyond it Node fires at once. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** The machine's clock. Its timers do not keep the process alive: the listening sockets do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
