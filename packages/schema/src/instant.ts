/** Timestamps as the topics write them: ISO 8601 text. */
import * as z from "zod";

/**
 * ISO 8601 date and time; a UTC offset may be missing.
 *
 * Python's `datetime.now().isoformat()`, which the tutorial's producer sends, writes none.
 */
export const Timestamp = z.iso.datetime({ offset: true, local: true });

/** ISO 8601 in UTC with `Z`: what we write ourselves. */
export const UtcTimestamp = z.iso.datetime();

const WITH_OFFSET = /(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * The instant of a timestamp in milliseconds since the epoch; undefined where it carries no UTC offset,
 * because then it is the wall clock of an unknown place. Finer fractions than milliseconds are cut.
 */
export function instantOf(timestamp: string): number | undefined {
  if (!WITH_OFFSET.test(timestamp)) return undefined;
  const instant = Date.parse(timestamp);
  return Number.isNaN(instant) ? undefined : instant;
}

/** An instant as the topics write it. */
export function utc(instantMs: number): string {
  return new Date(instantMs).toISOString();
}
