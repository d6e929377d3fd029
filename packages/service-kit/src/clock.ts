/** The machine's time, for parts that get their clock handed in. */

/** Takes back what was planned; harmless when it has happened already. */
export type Cancel = () => void;

/** Time as code is handed it, so that a test can drive it; milliseconds all. */
export interface Clock {
  /** Milliseconds since the epoch; the wall clock, which may step. */
  now(): number;
  /** Milliseconds since some fixed moment; never steps. */
  monotonic(): number;
  setTimeout(run: () => void, delayMs: number): Cancel;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
