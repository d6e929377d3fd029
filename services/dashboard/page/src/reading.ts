/** The shown device in words and numbers: its value, its verdict, its tiles. Computes, draws nothing. */
import type { Health, KpiDefinition, KpiTile } from "@kelvin/schema/live";
import { alarmKnowledge, faultOf, unknownSince } from "./alarms.ts";
import {
  change,
  clock,
  count,
  difference,
  interval,
  inUnit,
  NONE,
  number,
  plural,
  rate,
  symbolOf,
  temperature,
  type Unit,
  wholeSeconds,
} from "./format.ts";
import { isHigh, limitCelsius } from "./limit.ts";
import type { Moment } from "./moment.ts";
import type { Store } from "./store.ts";

/** `high`: above the limit. `frozen`: as it was when the connection, Kafka or the viewer stopped it. */
export type ReadingState = "live" | "high" | "stale" | "frozen" | "no-data";

export interface ReadingPicture {
  readonly state: ReadingState;
  readonly device: string;
  readonly value: string;
  readonly unit: string;
  /** "" where there is no reading before. */
  readonly change: string;
  readonly verdict: string;
  /** What is known of an alert of the device. */
  readonly alarm: "none" | "open" | "unknown";
  /** How far from the limit: `18.13 °C above the limit`; "" where that is not known of now. */
  readonly margin: string;
  /** Of the readings in the window, how many lie above the limit; "" without readings. */
  readonly aboveLimit: string;
}

export type TileState = "waiting" | "ok" | "high" | "none" | "unknown" | "rejecting";

export interface TilePicture {
  readonly state: TileState;
  readonly value: string;
  readonly note: string;
}

export function readingPicture(store: Store, moment: Moment | undefined, unit: Unit): ReadingPicture {
  const symbol = symbolOf(unit);
  const device = moment?.device ?? store.picked ?? "No device yet";
  const last = moment?.last;
  if (moment === undefined || last === undefined) {
    const verdict = moment === undefined ? "" : "No readings yet";
    return {
      state: "no-data",
      device,
      value: NONE,
      unit: symbol,
      change: "",
      verdict,
      alarm: "none",
      margin: "",
      aboveLimit: "",
    };
  }
  const state = stateOf(store, moment, last.celsius);
  return {
    state,
    device,
    value: number(inUnit(last.celsius, unit)),
    unit: symbol,
    change: last.change === null ? "" : `${arrow(last.change)} ${change(last.change, unit)} ${symbol}`,
    ...verdictOf(store, moment, state),
    margin: state === "stale" || state === "frozen" ? "" : marginText(store, last.celsius, unit),
    aboveLimit: aboveLimitText(moment),
  };
}

function stateOf(store: Store, moment: Moment, celsius: number): ReadingState {
  if (moment.frozen === "connecting" || moment.frozen === "kafka-down") return "frozen";
  if (moment.silentMs !== undefined) return "stale";
  return isHigh(celsius, store.welcome?.limitKelvin) ? "high" : "live";
}

function verdictOf(
  store: Store,
  moment: Moment,
  state: ReadingState,
): Pick<ReadingPicture, "verdict" | "alarm"> {
  const open = openEpisode(store, moment.device);
  const knowledge = alarmKnowledge(store);
  const alarm = open === undefined ? "none" : knowledge.isSure ? "open" : "unknown";
  if (state === "frozen") return { verdict: `as of ${clock(moment.endMs)}`, alarm };
  if (state === "stale") return { verdict: `No reading for ${wholeSeconds(moment.silentMs ?? 0)}`, alarm };
  const word = state === "high" ? "High" : "Alert open";
  if (open === undefined) return { verdict: state === "high" ? word : "Within the limit", alarm };
  if (knowledge.isSure) return { verdict: `${word} since ${clock(open.sinceMs)}`, alarm };
  // That a value is above the limit is seen here; since when it raises an alert only the pipeline knows.
  if (state === "high") return { verdict: "High; alert unknown", alarm };
  return { verdict: `Alert unknown since ${clock(unknownSince(knowledge, open.lastMs))}`, alarm };
}

function marginText(store: Store, celsius: number, unit: Unit): string {
  const limitKelvin = store.welcome?.limitKelvin;
  if (limitKelvin === undefined) return "";
  const over = celsius - limitCelsius(limitKelvin);
  const margin = `${number(Math.abs(difference(over, unit)))} ${symbolOf(unit)}`;
  return `${margin} ${over > 0 ? "above" : "below"} the limit`;
}

function openEpisode(store: Store, device: string) {
  for (const episode of store.episodes.values()) {
    if (episode.device === device && episode.endedMs === null) return episode;
  }
  return undefined;
}

function aboveLimitText({ stats, truncated }: Moment): string {
  if (stats.count === 0) return "";
  const share = Math.round((100 * stats.above) / stats.count);
  // Beside the number that it limits, not in the readout: that changes with the pointer, and would change the chart's height.
  const omitted = truncated ? ", older ones omitted" : "";
  return `${share} % of ${plural(stats.count, "reading")} above it${omitted}`;
}

/** A shape beside the sign; an unchanged value has one, too, so that nothing moves. */
function arrow(difference: number): string {
  if (difference > 0) return "▲";
  return difference < 0 ? "▼" : "■";
}

// --- the tiles ---------------------------------------------------------------------------------------

export function kpiPicture(
  definition: KpiDefinition | undefined,
  moment: Moment | undefined,
  health: Health | undefined,
  unit: Unit,
): TilePicture {
  const tile = moment?.kpis.find(({ name }) => name === definition?.name);
  if (definition === undefined || moment === undefined || tile === undefined) {
    return { state: "waiting", value: NONE, note: "" };
  }
  if (moment.frozen === "connecting") return unknown("not connected");
  if (moment.frozen === "kafka-down") return unknown("Kafka is unreachable");
  if (tile.state === "unknown") return unknown(blame(tile, health));
  if (tile.state === "empty") {
    return definition.unit === "alerts"
      ? { state: "ok", value: "0", note: "no alert" }
      : { state: "none", value: "no data", note: "no reading" };
  }
  const note = tile.windowEndMs === null ? "" : `until ${clock(tile.windowEndMs)}`;
  if (tile.value === null) return { state: "none", value: "no data", note };
  if (definition.unit === "celsius") return { state: "ok", value: temperature(tile.value, unit), note };
  return { state: tile.value > 0 ? "high" : "ok", value: count(tile.value), note };
}

function unknown(note: string): TilePicture {
  return { state: "unknown", value: "unknown", note };
}

/** The first in the flow that is known to be at fault: what comes after it can't be right either. */
function blame({ because }: KpiTile, health: Health | undefined): string {
  const told = because.map((name) => {
    const blamed = health?.pipelines.find((pipeline) => pipeline.name === name);
    return blamed && faultOf(blamed);
  });
  return told.find((text) => text !== undefined) ?? "not known yet";
}

export function ratePicture(moment: Moment | undefined): TilePicture {
  const isKnown = moment?.frozen === undefined || moment.frozen === "paused";
  if (moment?.intervalMs === undefined || !isKnown) {
    return { state: "waiting", value: NONE, note: "" };
  }
  if (moment.silentMs !== undefined) {
    return { state: "none", value: "none", note: `for ${wholeSeconds(moment.silentMs)}` };
  }
  return {
    state: "ok",
    value: rate(1000 / Math.max(1, moment.intervalMs)),
    note: `one every ${interval(moment.intervalMs)}`,
  };
}

/** Coloured while the last one is no older than the chart: what was long ago is a number, not a trouble. */
export function rejectedPicture(health: Health | undefined, nowMs: number, windowMs: number): TilePicture {
  if (health === undefined) return { state: "waiting", value: NONE, note: "" };
  const { count: rejected, last } = health.rejected;
  if (rejected === 0 || last === null) {
    // None is known of; that is not "none" while the topics were not read, or can't be.
    if (!health.ready || !health.kafka.up) return { state: "waiting", value: NONE, note: "" };
    return { state: "ok", value: "0", note: "all good" };
  }
  return {
    state: nowMs - last.atMs <= windowMs ? "rejecting" : "ok",
    value: count(rejected),
    note: `last ${clock(last.atMs)}`,
  };
}
