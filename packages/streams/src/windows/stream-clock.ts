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
  /** The highest event time of all records, and what it must not pass. */
  #seenMs = Number.NEGATIVE_INFINITY;
  #limitMs = Number.POSITIVE_INFINITY;

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
    this.#seenMs = Math.max(this.#seenMs, timestampMs);
    this.#raise();
    return true;
  }

  /** Records raise it to this at most, until told otherwise; and it does not advance by itself. */
  limit(limitMs: number): void {
    this.#limitMs = limitMs;
    this.#raise();
  }

  /** The highest event time of all records; minus infinity before the first. */
  get seenMs(): number {
    return this.#seenMs;
  }

  /** To where records have raised it, by themselves; undefined before the first. */
  get raisedMs(): number | undefined {
    const raisedMs = Math.min(this.#seenMs, this.#limitMs);
    return Number.isFinite(raisedMs) ? raisedMs : undefined;
  }

  /**
   * Time has passed: `elapsedMs` of it, by a clock that does not step. Where all records there are have been processed,
   * and no other came for `idleAfterMs`, event time advances as fast as the wall clock.
   */
  elapse(elapsedMs: number, isCaughtUp: boolean): void {
    if (!isCaughtUp || this.#limitMs !== Number.POSITIVE_INFINITY) {
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

  #raise(): void {
    const { raisedMs } = this;
    if (raisedMs === undefined || (this.#valueMs !== undefined && raisedMs <= this.#valueMs)) return;
    this.#valueMs = raisedMs;
    this.#anchorMs = raisedMs;
    this.#sinceAnchorMs = 0;
  }
}
