/** From readings to the points of a line: gaps stay gaps, and no more points than pixels can show. */
import type { Columns } from "./series.ts";

export interface Point {
  x: number;
  /** NaN breaks the line. */
  y: number;
}

export interface LineOptions {
  /** A longer pause between two readings is drawn as a gap. */
  gapMs: number;
  /** From °C to the unit shown. */
  convert: (celsius: number) => number;
  fromMs: number;
  toMs: number;
  /** Width of the drawing in pixels: of many readings in one pixel column, only what is seen is kept. */
  pixels: number;
}

/**
 * The points to draw. Of the readings within one pixel column, the first, lowest, highest and last are kept
 * (in their order), so peaks never vanish; with few readings every one is a point.
 */
export function pointsOf(readings: Columns, options: LineOptions): Point[] {
  const { timesMs, celsius } = readings;
  const points: Point[] = [];
  const columnMs = (options.toMs - options.fromMs) / Math.max(1, options.pixels);
  const dense = timesMs.length > options.pixels * 4;
  let i = 0;
  while (i < timesMs.length) {
    const end = dense ? columnEnd(timesMs, i, columnMs, options) : i + 1;
    const gapBefore = i > 0 && (timesMs[i] ?? 0) - (timesMs[i - 1] ?? 0) > options.gapMs;
    if (gapBefore) points.push({ x: timesMs[i - 1] ?? 0, y: Number.NaN });
    for (const index of dense ? seenOf(celsius, i, end) : [i]) {
      points.push({ x: timesMs[index] ?? 0, y: options.convert(celsius[index] ?? Number.NaN) });
    }
    i = end;
  }
  return points;
}

/** Where the pixel column that begins with reading `start` ends; a gap ends it as well. */
function columnEnd(timesMs: Float64Array, start: number, columnMs: number, options: LineOptions): number {
  const column = Math.floor(((timesMs[start] ?? 0) - options.fromMs) / columnMs);
  let end = start + 1;
  while (end < timesMs.length) {
    const time = timesMs[end] ?? 0;
    if (Math.floor((time - options.fromMs) / columnMs) !== column) break;
    if (time - (timesMs[end - 1] ?? 0) > options.gapMs) break;
    end++;
  }
  return end;
}

/** First, lowest, highest and last of the readings from `start` up to `end`, in their order, each once. */
function seenOf(values: Float64Array, start: number, end: number): number[] {
  let low = start;
  let high = start;
  for (let i = start + 1; i < end; i++) {
    if ((values[i] ?? 0) < (values[low] ?? 0)) low = i;
    if ((values[i] ?? 0) > (values[high] ?? 0)) high = i;
  }
  const seen = [start];
  for (const index of [Math.min(low, high), Math.max(low, high), end - 1]) {
    if (index !== seen.at(-1)) seen.push(index);
  }
  return seen;
}

/** The index of the reading nearest to `timeMs`; -1 when there is none. */
export function nearestIndex(timesMs: Float64Array, timeMs: number): number {
  if (timesMs.length === 0) return -1;
  let low = 0;
  let high = timesMs.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timesMs[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  if (before >= 0 && timeMs - (timesMs[before] ?? 0) < (timesMs[low] ?? 0) - timeMs) return before;
  return low;
}
