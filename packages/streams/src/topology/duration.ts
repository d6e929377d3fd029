/** Durations as people write them. */
import { StreamsError } from "../errors.ts";

/** "500ms", "5s", "1m", "2h": a number and a unit that make whole milliseconds. Kafka Streams and Quix take `Duration`, `timedelta`. */
export type Duration = `${number}${"ms" | "s" | "m" | "h"}`;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration; whole and not negative. */
export function milliseconds(duration: Duration): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration) ?? [];
  const result = Number(number) * (UNIT_MS[unit ?? ""] ?? Number.NaN);
  if (Number.isSafeInteger(result)) return result;
  throw new StreamsError(
    "STREAMS_BAD_DURATION",
    `"${duration}" is not a duration: write a number and a unit (ms, s, m, h) that make whole milliseconds, such as "5s".`,
  );
}

/** A duration as people write it, in its largest whole unit. */
export function durationText(ms: number): Duration {
  if (ms === 0) return "0s";
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  if (ms % 1_000 === 0) return `${ms / 1_000}s`;
  return `${ms}ms`;
}
