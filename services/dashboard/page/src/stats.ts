/** What the window's readings come to, in one pass: with many readings a second each pass counts. */
import type { Columns } from "./series.ts";

export interface WindowStats {
  /** Readings within the window. */
  readonly count: number;
  /** Of them, those above the limit. */
  readonly above: number;
  /** In °C; +Infinity where there is no reading. */
  readonly low: number;
  /** In °C; -Infinity where there is no reading. */
  readonly high: number;
}

/** Over the readings with `fromMs <= time <= toMs`; without a limit none is above it. */
export function statsOf(
  { timesMs, celsius }: Columns,
  fromMs: number,
  toMs: number,
  limitCelsius = Number.POSITIVE_INFINITY,
): WindowStats {
  let count = 0;
  let above = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < timesMs.length; i++) {
    const timeMs = timesMs[i] ?? 0;
    if (timeMs < fromMs || timeMs > toMs) continue;
    const value = celsius[i] ?? 0;
    count++;
    if (value > limitCelsius) above++;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { count, above, low, high };
}
