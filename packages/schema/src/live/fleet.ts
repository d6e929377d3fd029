/** All devices in short. */
import { isNumber, isText, list, orNull, record } from "./guards.ts";

/** All devices as columns, worst first: in alarm, then stale, then ahead of the clock, then by name. At most 1,000. */
export interface Fleet {
  nowMs: number;
  /** Devices known; those beyond the columns are `total - ids.length`. */
  total: number;
  /** Of all, not of the listed. */
  inAlarm: number;
  stale: number;
  ids: string[];
  celsius: number[];
  change: (number | null)[];
  intervalMs: (number | null)[];
  /** `nowMs` minus event time of the newest reading: negative where the device's clock is ahead. */
  eventAgeMs: number[];
  /** Milliseconds since the newest reading came in. */
  heardAgeMs: number[];
  /** Bits of `FLAG`. */
  flags: number[];
}

/** Bits of `Fleet.flags`. `ahead`: event time was more than 5 s ahead of the server when the reading came in. */
export const FLAG = { inAlarm: 1, stale: 2, ahead: 4 } as const;

const hasFleetFields = record<Fleet>({
  nowMs: isNumber,
  total: isNumber,
  inAlarm: isNumber,
  stale: isNumber,
  ids: list(isText),
  celsius: list(isNumber),
  change: list(orNull(isNumber)),
  intervalMs: list(orNull(isNumber)),
  eventAgeMs: list(isNumber),
  heardAgeMs: list(isNumber),
  flags: list(isNumber),
});

/** Whether this is a {@link Fleet}, its columns of one length. */
export const isFleet = (value: unknown): value is Fleet =>
  hasFleetFields(value) &&
  [value.celsius, value.change, value.intervalMs, value.eventAgeMs, value.heardAgeMs, value.flags].every(
    (column) => column.length === value.ids.length,
  );

/** One row of `Fleet`, as `devicesOf` gives it. */
export interface FleetDevice {
  id: string;
  celsius: number;
  change: number | null;
  intervalMs: number | null;
  eventMs: number;
  heardMs: number;
  inAlarm: boolean;
  stale: boolean;
  ahead: boolean;
}

/** The rows of a fleet summary, in their order. */
export function devicesOf(fleet: Fleet): FleetDevice[] {
  return fleet.ids.map((id, i) => {
    const flags = fleet.flags[i] ?? 0;
    return {
      id,
      celsius: fleet.celsius[i] ?? Number.NaN,
      change: fleet.change[i] ?? null,
      intervalMs: fleet.intervalMs[i] ?? null,
      eventMs: fleet.nowMs - (fleet.eventAgeMs[i] ?? 0),
      heardMs: fleet.nowMs - (fleet.heardAgeMs[i] ?? 0),
      inAlarm: (flags & FLAG.inAlarm) !== 0,
      stale: (flags & FLAG.stale) !== 0,
      ahead: (flags & FLAG.ahead) !== 0,
    };
  });
}

/** What a line of a few points is drawn from, for the worst 200 devices. */
export interface Trends {
  nowMs: number;
  /** Between two points; the last one is of `nowMs`. */
  stepMs: number;
  ids: string[];
  /** Per device at most 20, the oldest first: tenths of a degree Celsius at that instant; null: no reading in that step. */
  deciCelsius: (number | null)[][];
}

const hasTrendsFields = record<Trends>({
  nowMs: isNumber,
  stepMs: isNumber,
  ids: list(isText),
  deciCelsius: list(list(orNull(isNumber))),
});

/** Whether these are {@link Trends}, a line for each device. */
export const isTrends = (value: unknown): value is Trends =>
  hasTrendsFields(value) && value.deciCelsius.length === value.ids.length;
