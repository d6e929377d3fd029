/** The watched device: its readings, the newest of them, its KPIs; whole, or what is new of it. */
import type { KpiName, PipelineName } from "../flow.ts";
import {
  isFlag,
  isKpiName,
  isNumber,
  isPipelineName,
  isPosition,
  isText,
  list,
  oneOf,
  orNull,
  record,
} from "./guards.ts";

/** All that a page shows of one device. */
export interface Snapshot {
  boot: string;
  nowMs: number;
  device: string;
  /** False: the server has not heard this device (a mistyped URL, or not yet); readings come if it speaks. */
  known: boolean;
  /** Position after the last reading here: the `first` of the next batch. */
  next: number;
  /** How far back the readings go: as asked for, or `windowMs` where a whole room is told. */
  spanMs: number;
  /** True: the device is so fast that the oldest part of the span had to be dropped. */
  truncated: boolean;
  readings: Readings;
  /** null where not known. */
  last: LastReading | null;
  /** The usual time between two readings; null until two were seen. */
  intervalMs: number | null;
  kpis: KpiTile[];
}

/** What is new of the watched device since the snapshot or the batch before. */
export interface Batch {
  boot: string;
  nowMs: number;
  device: string;
  /**
   * Position of the first reading here. Lower than the page's `next`: skip those it has. Higher: some are missing,
   * say `watch` with `have` again. `first + readings.celsius.length` is the page's new `next`.
   */
  first: number;
  readings: Readings;
  last: LastReading | null;
  intervalMs: number | null;
  /** All tiles if one of them changed; null: none did. */
  kpis: KpiTile[] | null;
}

/** Readings as columns, in the order of the topic (event times may step back: a late reading is not sorted in). */
export interface Readings {
  /** Event time of the first; 0 where there is none. */
  t0: number;
  /** Milliseconds from the reading before, the first 0; `eventTimes` undoes it. */
  dt: number[];
  /** As sent by the device, unrounded. */
  celsius: number[];
}

/** The newest reading of a device. */
export interface LastReading {
  celsius: number;
  /** Against the reading before it, whenever that was; null for the first one. */
  change: number | null;
  eventMs: number;
  /** When it came to the server (one from before the server's start: when it came to Kafka). */
  heardMs: number;
}

/** One KPI of one device, ready to draw. */
export interface KpiTile {
  name: KpiName;
  /**
   * `value`: `value` is current. `empty`: up to date and nothing there: count 0 (`value` 0), average "no data"
   * (`value` null). `unknown`: a pipeline it needs is behind, gone or not known: `value` is null, show no number.
   */
  state: "value" | "empty" | "unknown";
  value: number | null;
  /** End of the window of the newest result, exclusive; null without one. */
  windowEndMs: number | null;
  /** Where unknown: which pipelines are to blame, in the order of the flow. Empty otherwise. */
  because: PipelineName[];
}

/** The event times of readings, in their order. */
export function eventTimes(readings: Readings): number[] {
  let time = readings.t0;
  return readings.dt.map((step) => {
    time += step;
    return time;
  });
}

const hasReadingFields = record<Readings>({ t0: isNumber, dt: list(isNumber), celsius: list(isNumber) });

const isReadings = (value: unknown): value is Readings =>
  hasReadingFields(value) && value.dt.length === value.celsius.length;

const isLast = record<LastReading>({
  celsius: isNumber,
  change: orNull(isNumber),
  eventMs: isNumber,
  heardMs: isNumber,
});

const isTile = record<KpiTile>({
  name: isKpiName,
  state: oneOf<KpiTile["state"]>("value", "empty", "unknown"),
  value: orNull(isNumber),
  windowEndMs: orNull(isNumber),
  because: list(isPipelineName),
});

/** Whether this is a {@link Snapshot}, its columns of one length. */
export const isSnapshot = record<Snapshot>({
  boot: isText,
  nowMs: isNumber,
  device: isText,
  known: isFlag,
  next: isPosition,
  spanMs: isNumber,
  truncated: isFlag,
  readings: isReadings,
  last: orNull(isLast),
  intervalMs: orNull(isNumber),
  kpis: list(isTile),
});

/** Whether this is a {@link Batch}, its columns of one length. */
export const isBatch = record<Batch>({
  boot: isText,
  nowMs: isNumber,
  device: isText,
  first: isPosition,
  readings: isReadings,
  last: orNull(isLast),
  intervalMs: orNull(isNumber),
  kpis: orNull(list(isTile)),
});
