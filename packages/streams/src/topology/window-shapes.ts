/** From what a window's author wrote to its shape: defaults, checks, and the name of its state. */
import type { Aggregates } from "../aggregates/aggregate.ts";
import { TopologyError } from "../errors.ts";
import { type Duration, durationText, milliseconds } from "./duration.ts";
import type {
  HoppingWindowShape,
  SessionWindowShape,
  SlidingWindowShape,
  WindowShape,
  WindowTells,
} from "./nodes.ts";
import type { TrailingWindowOptions, WindowOptions } from "./windows.ts";

export function trailingShape(size: Duration, options: TrailingWindowOptions): WindowShape {
  const { every, idleAfter = "2s", allowedLateness = "60s", maxFuture = "60s" } = options;
  const sizeMs = milliseconds(size);
  const everyMs = milliseconds(every);
  if (sizeMs === 0 || everyMs === 0 || sizeMs % everyMs !== 0) {
    throw new TopologyError(
      `A window of ${size} can't be emitted every ${every}: its size must be a multiple of that.`,
    );
  }
  return {
    kind: "trailing",
    sizeMs,
    everyMs,
    idleAfterMs: milliseconds(idleAfter),
    allowedLatenessMs: milliseconds(allowedLateness),
    maxFutureMs: milliseconds(maxFuture),
  };
}

export function hoppingShape(
  size: Duration,
  every: Duration,
  tells: WindowTells,
  options: WindowOptions,
): HoppingWindowShape {
  const sizeMs = positive(size, "A window's size");
  const everyMs = positive(every, "The time between two windows");
  if (everyMs > sizeMs) {
    throw new TopologyError(
      `Windows of ${size} can't start every ${every}: records between them would be in no window.`,
    );
  }
  return { kind: "hopping", sizeMs, everyMs, ...closing(tells, options) };
}

export function slidingShape(
  difference: Duration,
  tells: WindowTells,
  options: WindowOptions,
): SlidingWindowShape {
  return { kind: "sliding", differenceMs: milliseconds(difference), ...closing(tells, options) };
}

export function sessionShape(gap: Duration, tells: WindowTells, options: WindowOptions): SessionWindowShape {
  return { kind: "session", gapMs: positive(gap, "The gap between sessions"), ...closing(tells, options) };
}

/** What a window's state is called where its author gave it no name: by what it holds, not by where it stands. */
export function stateNameOf(topic: string, shape: WindowShape, aggregates: Aggregates<never>): string {
  return `${topic}-${shapeNameOf(shape, aggregates)}`;
}

/** What a window keeps, in words: what is kept under one of these can't be read as kept under another. */
export function shapeNameOf(shape: WindowShape, aggregates: Aggregates<never>): string {
  const names = Object.entries(aggregates).map(([name, { name: kind }]) =>
    name === kind ? name : `${name}-${kind}`,
  );
  return [...shapeNames(shape), ...names.sort()].join("-");
}

function shapeNames(shape: WindowShape): string[] {
  switch (shape.kind) {
    case "trailing":
      return ["trailing", durationText(shape.sizeMs), durationText(shape.everyMs)];
    case "hopping":
      return [shape.kind, durationText(shape.sizeMs), durationText(shape.everyMs), shape.tells];
    case "sliding":
      return [shape.kind, durationText(shape.differenceMs), shape.tells];
    case "session":
      return [shape.kind, durationText(shape.gapMs), shape.tells];
  }
}

function closing(tells: WindowTells, { grace, idleAfter = "2s", maxFuture = "60s" }: WindowOptions) {
  return {
    tells,
    graceMs: milliseconds(grace),
    idleAfterMs: milliseconds(idleAfter),
    maxFutureMs: milliseconds(maxFuture),
  };
}

function positive(duration: Duration, what: string): number {
  const ms = milliseconds(duration);
  if (ms > 0) return ms;
  throw new TopologyError(`${what} is ${duration}; it must be more than 0.`);
}
