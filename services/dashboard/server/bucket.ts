/** A token bucket: so many at once, and so many a second after that. Times are of a clock that never steps. */
export interface BucketLimits {
  readonly burst: number;
  readonly perSecond: number;
}

export class TokenBucket {
  readonly #limits: BucketLimits;
  #left: number;
  #countedMs: number;

  constructor(limits: BucketLimits, nowMs: number) {
    this.#limits = limits;
    this.#left = limits.burst;
    this.#countedMs = nowMs;
  }

  /** True where one more is within the limits; asking too often keeps the bucket empty. */
  take(nowMs: number): boolean {
    const { burst, perSecond } = this.#limits;
    const earned = ((nowMs - this.#countedMs) / 1_000) * perSecond;
    // Not below -1: who has asked too often waits for one token, not for as many as were refused.
    this.#left = Math.max(-1, Math.min(burst, this.#left + earned) - 1);
    this.#countedMs = nowMs;
    return this.#left >= 0;
  }
}
