/**
 * What the dashboard server and a page say to each other over socket.io. Both sides take it from here.
 *
 * Free of zod, so that a page stays small; what comes in is checked by the guards at the end. Every field is
 * always there: what has no value is null. Instants are milliseconds since the epoch by the server's clock,
 * event times by the device's. Device ids come from outside and are hostile: text, never markup.
 */

import { KPIS, type KpiName, PIPELINES, type PipelineName } from "./flow.ts";

export * from "./flow.ts";

/** Raised with each change that an older page could not read; a page that sees another number reloads itself. */
export const LIVE_VERSION = 3;

/** What the server tells a page, by event name. */
export interface ServerToPage {
  /** First after each connect. */
  welcome: (welcome: Welcome) => void;
  /** The watched device, whole: after `watch`, and whenever a page must start anew. Replaces what the page had. */
  snapshot: (snapshot: Snapshot) => void;
  /** News of the watched device: at once while there is little, else in batches at most 10 times a second. */
  batch: (batch: Batch) => void;
  /** All devices in short: after connect and then once a second. To be answered with `ack` each time. */
  fleet: (fleet: Fleet) => void;
  /** The last 100 s of the listed devices in short: once after connect. The page goes on with what `fleet` says. */
  trends: (trends: Trends) => void;
  /** Alert episodes: all after connect, then the changed ones, at most 10 times a second. */
  alerts: (alerts: Alerts) => void;
  /** How well the flow is: after connect, at each change, and every 5 s. */
  health: (health: Health) => void;
  /** Why the server ends the connection, just before it does. */
  goodbye: (goodbye: Goodbye) => void;
}

/**
 * What a page is told after connecting, to be asked for by HTTP at `openingPath` while its script still loads: its first
 * picture then does not wait for the socket, which goes on from there.
 */
export interface Opening {
  welcome: Welcome;
  health: Health;
  alerts: Alerts;
  fleet: Fleet;
  trends: Trends;
  /** null where no device was heard yet. */
  snapshot: Snapshot | null;
}

/** Relative to the page's own address. Both sides make it, since a browser takes what it has fetched by its address. */
export function openingPath(device: string | undefined): string {
  return isDeviceId(device) ? `opening.json?device=${encodeURIComponent(device)}` : "opening.json";
}

/** What a page tells the server, by event name. Messages over 16 kB close the connection. */
export interface PageToServer {
  /** Show another device, or ask anew after a gap. Answered with `snapshot`, or `batch` where that is enough. */
  watch: (watch: Watch) => void;
  /**
   * Everything up to a `fleet` is taken in; said after each, at once. Who is more than 2 s or 256 kB late gets no
   * readings and no fleet until the newest one sent is said, and then one snapshot; after 30 s the server hangs up.
   */
  ack: (ack: Ack) => void;
}

/** The socket's `auth` at connect, each time: so that the first answer already holds the watched device. */
export interface Handshake {
  watch: Watch;
}

/** May go along in the socket's `auth` where the server asks for a token: a program's; a page has its cookie. */
export interface Credentials {
  token: string;
}

/** What a page has taken in; the server counts what is under way by it. */
export interface Ack {
  /** `nowMs` of the `fleet`. */
  fleetMs: number;
}

/** The last words of a connection that the server ends. */
export interface Goodbye {
  nowMs: number;
  /**
   * `too-slow`: 30 s behind. `bad-messages`: too many, or not of this contract. `closing`: the server ends. The page
   * connects again after each.
   */
  why: "too-slow" | "bad-messages" | "closing";
}

/** Which device a page shows and what it has of it. */
export interface Watch {
  /** null: the server chooses the worst; where it knows none yet, the first one heard. The snapshot says which. */
  device: string | null;
  /** What the page already has of that device; null: nothing. */
  have: { boot: string; next: number } | null;
}

/** What holds for the whole connection: whom the page talks to, the rule, the KPIs, what to type. */
export interface Welcome {
  version: number;
  /** Another one than before: the server was started anew, or this is another instance. Positions start over. */
  boot: string;
  /** The server's clock at sending. */
  nowMs: number;
  /** The length of the chart: 100 s. */
  windowMs: number;
  /** The alert rule's limit; the page draws it as a line in its own unit. */
  limitKelvin: number;
  /** The topics' names as this server reads them. */
  topics: { sensor: string; alert: string; kpi: string };
  /** The KPIs there are, in the order of their tiles. */
  kpis: KpiDefinition[];
  /** A device is stale after `intervals` times its usual interval without a reading, but not before `atLeastMs`. */
  stale: { intervals: number; atLeastMs: number };
  commands: Commands;
}

/** What to type where a part of the system is not running, for this installation. */
export interface Commands {
  producer: string;
  processor: string;
  /** False: settings are missing that can't be told here, a password among them. */
  areWhole: boolean;
}

/** What a tile is labelled by. */
export interface KpiDefinition {
  name: KpiName;
  unit: "alerts" | "celsius";
  windowSeconds: number;
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

/** All that a page shows of one device. */
export interface Snapshot {
  boot: string;
  nowMs: number;
  device: string;
  /** False: the server has not heard this device (a mistyped URL, or not yet); readings come if it speaks. */
  known: boolean;
  /** Position after the last reading here: the `first` of the next batch. */
  next: number;
  /** True: the device is so fast that the oldest part of the window had to be dropped. */
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

/** What a line of a few points is drawn from, for the worst 200 devices. */
export interface Trends {
  nowMs: number;
  /** Between two points; the last one is of `nowMs`. */
  stepMs: number;
  ids: string[];
  /** Per device at most 20, the oldest first: tenths of a degree Celsius at that instant; null: no reading in that step. */
  deciCelsius: (number | null)[][];
}

/** Bits of `Fleet.flags`. `ahead`: event time was more than 5 s ahead of the server when the reading came in. */
export const FLAG = { inAlarm: 1, stale: 2, ahead: 4 } as const;

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

/** Alert episodes of all devices. */
export interface Alerts {
  nowMs: number;
  /** True: these are all, forget the others. False: new or changed ones, by `id`. */
  whole: boolean;
  /** Newest `lastMs` first when whole. Active ones, and the last 200 ended ones. */
  episodes: Episode[];
}

/** Alerts of one device close to each other, told as one. */
export interface Episode {
  id: string;
  device: string;
  /** Event time of the first alert. */
  sinceMs: number;
  /** Event time of the newest alert. */
  lastMs: number;
  /** Readings that raised an alert, doubles not counted. */
  readings: number;
  /** The highest. */
  peakCelsius: number;
  /** The newest. */
  lastCelsius: number;
  /**
   * Event time of the reading that showed it over: 5 s or more after the last alert, and judged by the alert
   * pipeline. null: active. A device that fell silent stays in alarm, and so does one whose pipeline stands still.
   */
  endedMs: number | null;
}

/** Whether what the page shows can be believed. */
export interface Health {
  nowMs: number;
  /** False until the server has read up to the topics' ends as they were at its start. */
  ready: boolean;
  /** `dataUpToMs`: newest event time on the page when Kafka was lost; null: none yet. `sinceMs` null while up. */
  kafka: { up: boolean; sinceMs: number | null; dataUpToMs: number | null };
  /** In the order of the flow; always all three. */
  pipelines: PipelineHealth[];
  rejected: Rejected;
  /** Devices forgotten because more spoke than the server keeps (10,000 by default). */
  devicesDropped: number;
}

/** How far one pipeline has got, by the positions that its consumer group committed. */
export interface PipelineHealth {
  name: PipelineName;
  /**
   * `up-to-date`: has done all that was there a few seconds ago. `behind`: has not. `gone`: nobody runs it.
   * `unknown`: could not be asked yet, or Kafka is down.
   */
  state: "up-to-date" | "behind" | "gone" | "unknown";
  /** Records it has still to do; null where not known. */
  behind: number | null;
  /** Since when it is in this state; `behind` and `gone`: since when it has not been up to date. */
  sinceMs: number;
}

/** Records that did not fit their topic's schema and are not shown. */
export interface Rejected {
  /** Since the server's start, the window before it included. */
  count: number;
  last: { topic: string; partition: number; offset: string; reason: string; atMs: number } | null;
}

/** The event times of readings, in their order. */
export function eventTimes(readings: Readings): number[] {
  let time = readings.t0;
  return readings.dt.map((step) => {
    time += step;
    return time;
  });
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

type Guard<T> = (value: unknown) => value is T;

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isDeviceId = (value: unknown): value is string =>
  isText(value) && value.length > 0 && value.length <= 64;
const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function orNull<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value);
}

function list<T>(guard: Guard<T>): Guard<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(guard);
}

function oneOf<T extends string>(...allowed: readonly T[]): Guard<T> {
  return (value): value is T => allowed.some((one) => one === value);
}

/** Asks for all fields of T; further ones, which a newer side may send, are no fault. */
function record<T extends object>(fields: { [K in keyof T]: Guard<T[K]> }): Guard<T> {
  const checks: [string, Guard<unknown>][] = Object.entries(fields);
  return (value): value is T =>
    typeof value === "object" &&
    value !== null &&
    checks.every(([name, guard]) => Object.hasOwn(value, name) && guard(Reflect.get(value, name)));
}

const isKpiName = oneOf(...KPIS.map(({ name }) => name));
const isPipelineName = oneOf(...PIPELINES.map(({ name }) => name));

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

/** Whether this is a {@link Watch}, with a device that could be one. */
export const isWatch = record<Watch>({
  device: orNull(isDeviceId),
  have: orNull(record({ boot: isText, next: isPosition })),
});

/** Whether this is a {@link Handshake}; a token beside it is no fault. */
export const isHandshake = record<Handshake>({ watch: isWatch });

/** Whether there is a token, of whatever worth. */
export const isCredentials = record<Credentials>({ token: isText });

/** Whether this is an {@link Ack}. */
export const isAck = record<Ack>({ fleetMs: isNumber });

/** Whether this is a {@link Goodbye}. */
export const isGoodbye = record<Goodbye>({
  nowMs: isNumber,
  why: oneOf<Goodbye["why"]>("too-slow", "bad-messages", "closing"),
});

/** Whether this is a {@link Welcome}, of whatever version. */
export const isWelcome = record<Welcome>({
  version: isNumber,
  boot: isText,
  nowMs: isNumber,
  windowMs: isNumber,
  limitKelvin: isNumber,
  topics: record({ sensor: isText, alert: isText, kpi: isText }),
  kpis: list(
    record<KpiDefinition>({
      name: isKpiName,
      unit: oneOf<KpiDefinition["unit"]>("alerts", "celsius"),
      windowSeconds: isNumber,
    }),
  ),
  stale: record({ intervals: isNumber, atLeastMs: isNumber }),
  commands: record({ producer: isText, processor: isText, areWhole: isFlag }),
});

/** Whether this is a {@link Snapshot}, its columns of one length. */
export const isSnapshot = record<Snapshot>({
  boot: isText,
  nowMs: isNumber,
  device: isText,
  known: isFlag,
  next: isPosition,
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

const hasTrendsFields = record<Trends>({
  nowMs: isNumber,
  stepMs: isNumber,
  ids: list(isText),
  deciCelsius: list(list(orNull(isNumber))),
});
/** Whether these are {@link Trends}, a line for each device. */
export const isTrends = (value: unknown): value is Trends =>
  hasTrendsFields(value) && value.deciCelsius.length === value.ids.length;

/** Whether these are {@link Alerts}. */
export const isAlerts = record<Alerts>({
  nowMs: isNumber,
  whole: isFlag,
  episodes: list(
    record<Episode>({
      id: isText,
      device: isText,
      sinceMs: isNumber,
      lastMs: isNumber,
      readings: isNumber,
      peakCelsius: isNumber,
      lastCelsius: isNumber,
      endedMs: orNull(isNumber),
    }),
  ),
});

/** Whether this is a {@link Health}. */
export const isHealth = record<Health>({
  nowMs: isNumber,
  ready: isFlag,
  kafka: record({ up: isFlag, sinceMs: orNull(isNumber), dataUpToMs: orNull(isNumber) }),
  pipelines: list(
    record<PipelineHealth>({
      name: isPipelineName,
      state: oneOf<PipelineHealth["state"]>("up-to-date", "behind", "gone", "unknown"),
      behind: orNull(isNumber),
      sinceMs: isNumber,
    }),
  ),
  rejected: record<Rejected>({
    count: isNumber,
    last: orNull(
      record({ topic: isText, partition: isNumber, offset: isText, reason: isText, atMs: isNumber }),
    ),
  }),
  devicesDropped: isNumber,
});

/** Whether this is an {@link Opening}, each part of it by its own guard. */
export const isOpening = record<Opening>({
  welcome: isWelcome,
  health: isHealth,
  alerts: isAlerts,
  fleet: isFleet,
  trends: isTrends,
  snapshot: orNull(isSnapshot),
});
