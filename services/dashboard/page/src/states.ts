/** Which states apply, and the text of each: what is wrong, since when, and what to do about it. */
import type { Goodbye, PipelineHealth } from "@kelvin/schema/live";
import { clock, count, duration, interval, lengthOf, plural, wholeSeconds } from "./format.ts";
import type { Moment } from "./moment.ts";
import { DEFAULT_WINDOW_MS, type Store } from "./store.ts";

/** The state of the flow: exactly one applies. */
export type Flow = "connecting" | "kafka-down" | "no-data" | "stale" | "live";
/** What may be wrong besides. */
export type Trouble = "pipeline-behind" | "bad-data" | "clock-ahead" | "paused" | "outdated";

export interface Notice {
  readonly state: Flow | Trouble;
  readonly tone: "calm" | "warn" | "alarm";
  readonly word: string;
  readonly text: string;
  /** A command that would help, to be shown as one. */
  readonly command?: string;
}

/** What the bar and the browser's tab say in a word. */
export interface Headline {
  readonly state: Notice["state"] | "in-alarm";
  readonly tone: Notice["tone"];
  readonly word: string;
}

export const WORDS: Record<Flow | Trouble, string> = {
  connecting: "Connecting",
  "kafka-down": "Kafka down",
  "no-data": "No data",
  stale: "Stale",
  live: "Live",
  "pipeline-behind": "Pipeline behind",
  "bad-data": "Bad data",
  "clock-ahead": "Clock ahead",
  paused: "Paused",
  outdated: "Old page",
};

/** The worst first: nothing below it can be relied upon, or less is lost by it. */
const WORST_FIRST: readonly Notice["state"][] = [
  "connecting",
  "kafka-down",
  "outdated",
  "no-data",
  "pipeline-behind",
  "stale",
  "bad-data",
  "clock-ahead",
  "paused",
  "live",
];

const REASON_LENGTH = 160;
const GOODBYES: Record<Goodbye["why"], string> = {
  "too-slow": "The server disconnected because this page, or its connection, was too slow for half a minute.",
  "bad-messages": "The server disconnected because it did not understand this page.",
  closing: "The server was stopped.",
};

/** What to tell a viewer at `nowMs`: first the state of the flow, then each trouble. Never empty. */
export function noticesOf(store: Store, moment: Moment | undefined, nowMs: number): [Notice, ...Notice[]] {
  const whole = wholeOf(store, moment, nowMs);
  // Without a connection to the server or to Kafka nothing else is known: old troubles would be shown as present ones.
  if (whole.state === "connecting" || whole.state === "kafka-down") return [whole];
  const troubles = [outdated(store), pipelinesBehind(store, nowMs), badData(store, nowMs), clockAhead(store)];
  return [whole, ...troubles.filter((trouble) => trouble !== undefined)];
}

/** The notices to show, the worst first; that readings are coming in is shown only while all is well. */
export function toldOf(notices: readonly [Notice, ...Notice[]]): [Notice, ...Notice[]] {
  const [first, ...others] = [...notices].sort(
    (a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state),
  );
  if (first === undefined) return [notices[0]];
  return [first, ...others.filter(({ tone }) => tone !== "calm")];
}

/**
 * Machines that are known to be too hot come before all that is wrong with what is told about them. Where alarms can't
 * be known (no connection, no Kafka, no alert pipeline), that is the headline.
 *
 * @param inAlarm devices of which it is known
 */
export function headlineOf(worst: Notice, inAlarm: number): Headline {
  return inAlarm > 0 ? { state: "in-alarm", tone: "alarm", word: "In alarm" } : worst;
}

function wholeOf(store: Store, moment: Moment | undefined, nowMs: number): Notice {
  if (store.link.state === "connecting") return connecting(store, moment);
  const { health, fleet } = store;
  if (health !== undefined && !health.kafka.up) return kafkaDown(store, nowMs);
  if (health === undefined || fleet === undefined || !health.ready) {
    return notice("connecting", "warn", "The dashboard server is still catching up with the topics.");
  }
  const devices = Math.max(fleet.total, moment?.last === undefined ? 0 : 1);
  if (devices === 0) return noData(store);
  const allSilent = devices === 1 ? moment?.silentMs !== undefined : fleet.stale >= devices;
  if (allSilent) return stale(moment, devices);
  return notice("live", "calm", liveText(moment, devices, fleet.stale));
}

function connecting(store: Store, moment: Moment | undefined): Notice {
  if (store.link.state !== "connecting") return notice("live", "calm", "");
  const { attempt, refusal, goodbye, sinceMs } = store.link;
  const parts = [`No connection to the dashboard server, attempt ${Math.max(1, attempt)}.`];
  if (refusal !== undefined) parts.push(`The server refused this page: ${refusal}.`);
  if (goodbye !== undefined) parts.push(GOODBYES[goodbye]);
  if (moment !== undefined) parts.push(`The page shows data as of ${clock(sinceMs)}.`);
  else if (attempt <= 1 && refusal === undefined) parts[0] = "Connecting to the dashboard server, attempt 1.";
  return notice("connecting", "warn", parts.join(" "));
}

function kafkaDown(store: Store, nowMs: number): Notice {
  const { sinceMs, dataUpToMs } = store.health?.kafka ?? { sinceMs: null, dataUpToMs: null };
  const since = sinceMs === null ? "" : ` since ${clock(sinceMs)} (${wholeSeconds(nowMs - sinceMs)})`;
  const upTo = dataUpToMs === null ? "No data received yet." : `Showing data up to ${clock(dataUpToMs)}.`;
  return notice("kafka-down", "alarm", `The Kafka broker is unreachable${since}. ${upTo}`);
}

function noData(store: Store): Notice {
  const topic = store.welcome?.topics.sensor ?? "sensor";
  const length = lengthOf(store.welcome?.spansMs.at(-1) ?? DEFAULT_WINDOW_MS);
  return notice(
    "no-data",
    "warn",
    `Kafka is reachable, but topic "${topic}" had no readings in the last ${length}. ` +
      `Start a producer${withSettings(store)}:`,
    store.welcome?.commands.producer,
  );
}

function stale(moment: Moment | undefined, devices: number): Notice {
  if (devices > 1) return notice("stale", "warn", `All ${count(devices)} devices have fallen silent.`);
  const { device, silentMs = 0, last, intervalMs } = moment ?? {};
  const usual = intervalMs === undefined ? "" : ` It usually sends every ${interval(intervalMs)}.`;
  const at = last === undefined ? "" : ` The last reading came at ${clock(last.heardMs)}.`;
  return notice(
    "stale",
    "warn",
    `${device ?? "The device"} has been silent for ${wholeSeconds(silentMs)}.${usual}${at}`,
  );
}

function liveText(moment: Moment | undefined, devices: number, silent: number): string {
  const every = devices === 1 && moment?.intervalMs ? `, a reading every ${interval(moment.intervalMs)}` : "";
  const but = devices > 1 && silent > 0 ? `, ${count(silent)} of them silent` : "";
  return `Readings are coming in: ${plural(devices, "device")}${every}${but}.`;
}

function pipelinesBehind(store: Store, nowMs: number): Notice | undefined {
  const behind = (store.health?.pipelines ?? []).filter(
    ({ state }) => state === "behind" || state === "gone",
  );
  if (behind.length === 0) return undefined;
  const gone = behind.filter(({ state }) => state === "gone");
  const late = behind.filter(({ state }) => state === "behind");
  const told = [pipelinesText(gone, nowMs), pipelinesText(late, nowMs)].filter((text) => text !== "");
  const text = `${told.join("; ")}. Values that depend on ${behind.length === 1 ? "it" : "them"} are shown as unknown.`;
  return late.length === 0
    ? notice(
        "pipeline-behind",
        "warn",
        `${text} Start the stream processor${withSettings(store)}:`,
        store.welcome?.commands.processor,
      )
    : notice("pipeline-behind", "warn", text);
}

/** What a command lacks: passwords, say, are not told to pages. */
function withSettings({ welcome }: Store): string {
  return welcome?.commands.areWhole === false ? ", with this dashboard's own settings" : "";
}

/** Of one state: `alert and alert-count have not been running since 12:04:22 (9 s), 42 records left`. */
function pipelinesText(pipelines: readonly PipelineHealth[], nowMs: number): string {
  const [first, ...others] = pipelines;
  if (first === undefined) return "";
  const isOne = others.length === 0;
  const what = `${isOne ? "has" : "have"} ${first.state === "gone" ? "not been running" : "been behind"}`;
  const sinceMs = Math.min(...pipelines.map((pipeline) => pipeline.sinceMs));
  const since = `since ${clock(sinceMs)} (${wholeSeconds(nowMs - sinceMs)})`;
  const known = pipelines.flatMap(({ behind }) => behind ?? []);
  const records = known.reduce((sum, count) => sum + count, 0);
  const waiting = known.length === 0 ? "" : `, ${plural(records, "record")} left`;
  return `${listed(pipelines.map(({ name }) => name))} ${what} ${since}${waiting}`;
}

/** `a`, `a and b`, `a, b and c`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Told while the bad record is no older than the chart; its count stays in the tile. */
function badData(store: Store, nowMs: number): Notice | undefined {
  const rejected = store.health?.rejected;
  if (!rejected?.last) return undefined;
  if (nowMs - rejected.last.atMs > (store.welcome?.windowMs ?? DEFAULT_WINDOW_MS)) return undefined;
  const { topic, partition, offset, reason, atMs } = rejected.last;
  return notice(
    "bad-data",
    "warn",
    `${plural(rejected.count, "record")} rejected, the last at ${clock(atMs)}: ${topic}[${partition}] offset ${offset}, ${shortened(reason)}. Valid records are still processed.`,
  );
}

/** A reason may quote the whole bad record; that is in the dead letter, and would push all else off the page. */
function shortened(reason: string): string {
  return reason.length <= REASON_LENGTH ? reason : `${reason.slice(0, REASON_LENGTH)}…`;
}

function clockAhead(store: Store): Notice | undefined {
  const ahead = store.devices.filter((device) => device.ahead);
  const [first] = ahead;
  if (first === undefined) return undefined;
  const by = duration(first.eventMs - first.heardMs);
  const text =
    ahead.length === 1
      ? `The clock of ${first.id} is ahead of the server's by ${by}: its latest readings are beyond the right edge.`
      : `The clocks of ${first.id} and ${plural(ahead.length - 1, "other")} are ahead of the server's, the first by ${by}: ` +
        "their latest readings are beyond the right edge.";
  return notice("clock-ahead", "warn", text);
}

function outdated(store: Store): Notice | undefined {
  if (!store.outdated) return undefined;
  return notice(
    "outdated",
    "warn",
    "The server and this page have different versions. Rebuild the page, then reload.",
  );
}

/** The viewer's own state; `waiting` readings came since the value and the chart were stopped at `sinceMs`. */
export function pausedNotice(sinceMs: number, waiting: number): Notice {
  const text = `Value, chart and tiles are paused at ${clock(sinceMs)}; ${plural(waiting, "new reading")} since. Alerts continue.`;
  return notice("paused", "warn", text);
}

function notice(state: Flow | Trouble, tone: Notice["tone"], text: string, command?: string): Notice {
  return { state, tone, word: WORDS[state], text, ...(command === undefined ? {} : { command }) };
}
