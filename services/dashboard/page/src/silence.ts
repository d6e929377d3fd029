/** From when on a device's silence means something. */

export interface StaleRule {
  /** Times the usual interval. */
  readonly intervals: number;
  /** Silence shorter than this is never remarkable, however fast the device usually is. */
  readonly atLeastMs: number;
}

/** Until the server has said its rule. */
const DEFAULT_RULE: StaleRule = { intervals: 3, atLeastMs: 3_000 };

/** The silence after which a device is stale, and a line has a gap; `usualMs`: its usual interval, if known. */
export function silenceMs(usualMs: number | undefined, rule: StaleRule = DEFAULT_RULE): number {
  return Math.max(rule.atLeastMs, rule.intervals * (usualMs ?? 0));
}
