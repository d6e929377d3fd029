/** The clock of one input partition: how far event time has come. It never goes backwards (streams.md 2, rule 2). */

export interface StreamClockOptions {
  readonly idleAfterMs: number;
  readonly maxFutureMs: number;
}

export class StreamClock {
  readonly #options: StreamClockOptions;
  #valueMs: number | undefined;
  /** The value at the later of "last raised" and "caught up", and the caught-up time since then. */
  #anchorMs: number | undefined;
  #sinceAnchorMs = 0;
  /** Caught-up time since the last record, of whatever event time. */
  #quietMs = 0;

  constructor(options: StreamClockOptions, valueMs?: number) {
    this.#options = options;
    this.#valueMs = valueMs;
    this.#anchorMs = valueMs;
  }

  /** Milliseconds since the epoch; undefined before the first record. */
  get valueMs(): number | undefined {
    return this.#valueMs;
  }

  /**
   * A record has come. Returns false for one too far in the future, which changes nothing: one wrong device clock must not
   * close everybody's windows.
   */
  record(timestampMs: number, wallMs: number): boolean {
    if (timestampMs > wallMs + this.#options.maxFutureMs) return false;
    this.#quietMs = 0;
    if (this.#valueMs === undefined || timestampMs > this.#valueMs) {
      this.#valueMs = timestampMs;
      this.#anchorMs = timestampMs;
      this.#sinceAnchorMs = 0;
    }
    return true;
  }

  /**
   * Time has passed: `elapsedMs` of it, by a clock that does not step. Where all records there are have been worked on,
   * and no other came for `idleAfterMs`, event time goes on as fast as the wall's.
   */
  elapse(elapsedMs: number, isCaughtUp: boolean): void {
    if (!isCaughtUp) {
      this.#anchorMs = this.#valueMs;
      this.#sinceAnchorMs = 0;
      this.#quietMs = 0;
      return;
    }
    this.#sinceAnchorMs += elapsedMs;
    this.#quietMs += elapsedMs;
    if (this.#valueMs === undefined || this.#anchorMs === undefined) return;
    if (this.#quietMs < this.#options.idleAfterMs) return;
    this.#valueMs = Math.max(this.#valueMs, this.#anchorMs + Math.floor(this.#sinceAnchorMs));
  }
}
