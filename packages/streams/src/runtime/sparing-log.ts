/** Log lines about single records, limited in rate: a flood of bad records must not become a flood of lines. */
import type { Clock, Log } from "../ports.ts";

const LINES_MAX = 10;
const SPAN_MS = 10_000;

export class SparingLog {
  readonly #log: Log;
  readonly #clock: Clock;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #lines = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Logs the first ten lines of ten seconds; after the ten seconds, how many others there were. */
  warn(fields: object, message: string): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#sinceMs >= SPAN_MS) {
      this.#sinceMs = nowMs;
      this.#lines = 0;
      this.#clock.setTimeout(() => this.#sumUp(), SPAN_MS);
    }
    this.#lines++;
    if (this.#lines <= LINES_MAX) this.#log.warn(fields, message);
  }

  #sumUp(): void {
    const unsaid = this.#lines - LINES_MAX;
    if (unsaid > 0)
      this.#log.warn({ lines: unsaid, seconds: SPAN_MS / 1_000 }, "more log lines like this were suppressed");
  }
}
