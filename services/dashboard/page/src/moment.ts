/** What the reading's part of the page shows: the device as it is now, or as it was when something stopped. */
import type { KpiTile, LastReading } from "@kelvin/schema/live";
import { limitCelsius } from "./limit.ts";
import { type Columns, inTimeOrder } from "./series.ts";
import { silenceMs } from "./silence.ts";
import { statsOf, type WindowStats } from "./stats.ts";
import type { Store, Watched } from "./store.ts";

/** Why the picture stands still. */
export type Frozen = "connecting" | "kafka-down" | "paused";

export interface Moment {
  /** The right edge of the chart. */
  readonly endMs: number;
  readonly windowMs: number;
  readonly frozen: Frozen | undefined;
  readonly device: string;
  readonly known: boolean;
  /** The oldest readings of the window are missing: they were too many. */
  readonly truncated: boolean;
  /** In the order of event time, a little more than the window. */
  readonly readings: Columns;
  readonly last: LastReading | undefined;
  readonly intervalMs: number | undefined;
  readonly kpis: readonly KpiTile[];
  /** For how long the device has been silent; undefined while it speaks as usual. */
  readonly silentMs: number | undefined;
  /** Of the window alone. */
  readonly stats: WindowStats;
  /** A pause longer than this is a gap in the line. */
  readonly gapMs: number;
}

/** The moment to show at `nowMs`, or undefined where no device is known yet. */
export function momentOf(store: Store, nowMs: number): Moment | undefined {
  const { watched } = store;
  if (watched === undefined) return undefined;
  const { frozen, endMs } = standstill(store, nowMs);
  const { windowMs } = store;
  watched.series.expire(endMs);
  const readings = inTimeOrder(watched.series.since(endMs - windowMs - edgeMs(windowMs)));
  const limitKelvin = store.welcome?.limitKelvin;
  return {
    endMs,
    windowMs,
    frozen,
    device: watched.device,
    known: watched.known,
    truncated: watched.series.wholeSinceMs > endMs - windowMs,
    readings,
    stats: statsOf(
      readings,
      endMs - windowMs,
      endMs,
      limitKelvin === undefined ? undefined : limitCelsius(limitKelvin),
    ),
    last: watched.last,
    intervalMs: watched.intervalMs,
    kpis: watched.kpis,
    silentMs: silentFor(store, watched, endMs),
    gapMs: silenceMs(watched.intervalMs, store.welcome?.stale),
  };
}

/** Without a connection to the server or to Kafka time stops: what is not known is not drawn as silence. */
function standstill(store: Store, nowMs: number): { frozen: Frozen | undefined; endMs: number } {
  if (store.link.state === "connecting") return { frozen: "connecting", endMs: store.link.sinceMs };
  const kafka = store.health?.kafka;
  if (kafka !== undefined && !kafka.up) return { frozen: "kafka-down", endMs: kafka.sinceMs ?? nowMs };
  return { frozen: undefined, endMs: nowMs };
}

function silentFor(store: Store, watched: Watched, nowMs: number): number | undefined {
  if (watched.last === undefined) return undefined;
  const silentMs = nowMs - watched.last.heardMs;
  return silentMs > silenceMs(watched.intervalMs, store.welcome?.stale) ? silentMs : undefined;
}

/** So much before the window is drawn as well, for the line to come in from outside. */
function edgeMs(windowMs: number): number {
  return windowMs / 20;
}
