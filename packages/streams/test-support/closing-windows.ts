/** Tumbling, hopping, sliding and session windows by brute force: from their definitions, with everything remembered. */

import type { HoppingWindowShape, SessionWindowShape, SlidingWindowShape } from "../src/topology/nodes.ts";
import type { WindowResult } from "../src/topology/windows.ts";
import type { Kpi, Reading } from "./readings.ts";

export type ClosingShape = HoppingWindowShape | SlidingWindowShape | SessionWindowShape;

interface Arrival extends Reading {
  /** Windows that ended here or before were closed when it came. */
  readonly closedMs: number;
}

interface Bounds {
  readonly startMs: number;
  readonly endMs: number;
}

export type Table = Readonly<Record<string, Kpi>>;

/** What should come of records in the order of their arrival, where no time passes alone. */
export function expected(all: readonly Reading[], shape: ClosingShape): { table: Table; late: number[] } {
  const counted: Arrival[] = [];
  const late: number[] = [];
  let clockMs = Number.NEGATIVE_INFINITY;
  for (const [offset, reading] of all.entries()) {
    clockMs = Math.max(clockMs, reading.atMs);
    const arrival = { ...reading, closedMs: clockMs - shape.graceMs };
    if (isLate(arrival, counted, shape)) late.push(offset);
    else counted.push(arrival);
  }
  return { table: tableOf(counted, shape), late };
}

/** The table where nothing is late. */
export function bruteForceTable(all: readonly Reading[], shape: ClosingShape): Table {
  return tableOf(
    all.map((each) => ({ ...each, closedMs: Number.NEGATIVE_INFINITY })),
    shape,
  );
}

/** What a reader has who keeps the highest revision of each window, and of equal ones the later. */
export function readTable(told: readonly WindowResult<Kpi | null>[]): Table {
  const table = new Map<string, WindowResult<Kpi | null>>();
  for (const each of told) {
    const name = nameOf(each.key, each);
    const known = table.get(name);
    if (known === undefined || each.revision >= known.revision) table.set(name, each);
  }
  return inOrder([...table].flatMap(([name, { value }]) => (value === null ? [] : [[name, value]])));
}

function tableOf(counted: readonly Arrival[], shape: ClosingShape): Table {
  const entries = new Map<string, Kpi>();
  for (const key of new Set(counted.map((each) => each.key))) {
    const own = counted.filter((each) => each.key === key);
    for (const bounds of own.flatMap((each) => windowsBy(each, own, shape))) {
      const inside = own.filter((each) => isInside(each.atMs, bounds) && isOpen(bounds, each, shape));
      if (inside.length === 0) continue;
      const sum = inside.reduce((total, { x }) => total + x, 0);
      entries.set(nameOf(key, bounds), { count: inside.length, sum });
    }
  }
  return inOrder([...entries]);
}

/** The windows that are there because of the record, and were open when it came. */
function windowsBy(record: Arrival, own: readonly Reading[], shape: ClosingShape): Bounds[] {
  const { atMs } = record;
  switch (shape.kind) {
    case "hopping": {
      const { sizeMs, everyMs } = shape;
      const windows: Bounds[] = [];
      for (let startMs = Math.floor(atMs / everyMs) * everyMs; startMs > atMs - sizeMs; startMs -= everyMs) {
        windows.push({ startMs, endMs: startMs + sizeMs });
      }
      return windows.filter((bounds) => isOpen(bounds, record, shape));
    }
    case "sliding": {
      const starts = [atMs - shape.differenceMs, atMs + 1];
      const windows = starts.map((startMs) => ({ startMs, endMs: startMs + shape.differenceMs + 1 }));
      return windows.filter((bounds) => isOpen(bounds, record, shape));
    }
    case "session":
      return [sessionOf(atMs, own, shape)];
  }
}

function isLate(record: Arrival, counted: readonly Arrival[], shape: ClosingShape): boolean {
  const own = counted.filter((each) => each.key === record.key);
  if (shape.kind === "session") {
    const isClosed = (lastMs: number) => lastMs + shape.gapMs < record.closedMs;
    const near = own.filter(({ atMs }) => Math.abs(atMs - record.atMs) <= shape.gapMs);
    return isClosed(record.atMs) || near.some(({ atMs }) => isClosed(sessionOf(atMs, own, shape).endMs - 1));
  }
  const around = [...own, record].flatMap((each) =>
    windowsBy({ ...each, closedMs: record.closedMs }, own, shape),
  );
  return !around.some((bounds) => isInside(record.atMs, bounds));
}

/** From the record on both ways, as long as the next is within the gap. */
function sessionOf(atMs: number, own: readonly Reading[], { gapMs }: SessionWindowShape): Bounds {
  let [firstMs, lastMs] = [atMs, atMs];
  for (let size = -1; size !== lastMs - firstMs; ) {
    size = lastMs - firstMs;
    for (const each of own) {
      if (each.atMs < firstMs - gapMs || each.atMs > lastMs + gapMs) continue;
      firstMs = Math.min(firstMs, each.atMs);
      lastMs = Math.max(lastMs, each.atMs);
    }
  }
  return { startMs: firstMs, endMs: lastMs + 1 };
}

function isInside(atMs: number, { startMs, endMs }: Bounds): boolean {
  return startMs <= atMs && atMs < endMs;
}

/** A session takes all that are counted: what belongs to a closed one was not. */
function isOpen({ endMs }: Bounds, { closedMs }: Arrival, { kind }: ClosingShape): boolean {
  return kind === "session" || endMs > closedMs;
}

function nameOf(key: string, { startMs, endMs }: Bounds): string {
  return `${key}@${startMs}-${endMs}`;
}

function inOrder(entries: [string, Kpi][]): Table {
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}
