/** The y axis: a calm range with round ends. An axis that jumps with every reading can't be read. */

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** What the axis remembers between two drawings. */
export interface AxisState {
  readonly range: Range;
  /** Since when the values would have fitted a much smaller range; undefined while they need this one. */
  readonly looseSinceMs: number | undefined;
}

/** The range shrinks only after the values have needed clearly less for this long. */
export const SHRINK_AFTER_MS = 10_000;
/** "Clearly less": under this share of the height. */
const LOOSE_SHARE = 0.6;
/** Free room above and below the values, as a share of their spread. */
const PADDING = 0.02;
const SMALLEST_SPREAD = 4;
const INTERVALS = 7;

/** The range for values from `low` to `high`, a little wider, with round ends and a round step. */
export function rangeFor(low: number, high: number): Range {
  const spread = Math.max(high - low, SMALLEST_SPREAD);
  const middle = (low + high) / 2;
  const half = spread / 2 + PADDING * spread;
  return rounded(middle - half, middle + half);
}

function rounded(low: number, high: number): Range {
  const step = roundStep((high - low) / INTERVALS);
  return { min: tidy(Math.floor(low / step) * step), max: tidy(Math.ceil(high / step) * step), step };
}

/**
 * The axis for values from `low` to `high` at `nowMs`: it grows at once when a value would fall outside,
 * shrinks only after 10 s in which the values used less than 60 % of it, and otherwise stays as it was.
 */
export function nextAxis(before: AxisState | undefined, low: number, high: number, nowMs: number): AxisState {
  const wanted = rangeFor(low, high);
  if (before === undefined) return { range: wanted, looseSinceMs: undefined };
  const { range } = before;
  if (low < range.min || high > range.max) {
    const grown = rounded(
      low < range.min ? wanted.min : range.min,
      high > range.max ? wanted.max : range.max,
    );
    return { range: grown, looseSinceMs: undefined };
  }
  const loose = wanted.max - wanted.min < LOOSE_SHARE * (range.max - range.min);
  if (!loose) return { range, looseSinceMs: undefined };
  const looseSinceMs = before.looseSinceMs ?? nowMs;
  if (nowMs - looseSinceMs < SHRINK_AFTER_MS) return { range, looseSinceMs };
  return { range: wanted, looseSinceMs: undefined };
}

/** 1, 2 or 5 times a power of ten, at least `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 5]) if (factor * power >= rough) return factor * power;
  return 10 * power;
}

/** Takes the rounding noise of floating point away (0.30000000000000004). */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

/** A limit further from the values than so many times their spread would press them flat, and stays outside. */
const LIMIT_WITHIN = 2;
const LIMIT_WITHIN_AT_LEAST = 20;

/** The values' range, widened to the limit where that leaves the line readable. */
export function withLimit(
  low: number,
  high: number,
  limit: number | undefined,
): { low: number; high: number } {
  if (limit === undefined) return { low, high };
  const reach = Math.max(LIMIT_WITHIN_AT_LEAST, LIMIT_WITHIN * (high - low));
  if (limit < low - reach || limit > high + reach) return { low, high };
  return { low: Math.min(low, limit), high: Math.max(high, limit) };
}
