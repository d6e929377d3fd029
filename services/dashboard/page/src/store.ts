/** All that the page knows, in one place. Messages come in, views read; nothing here draws or waits. */
import {
  type Alerts,
  type Batch,
  devicesOf,
  type Episode,
  eventTimes,
  type Fleet,
  type FleetDevice,
  type Goodbye,
  type Health,
  type KpiTile,
  type LastReading,
  type Readings,
  type Snapshot,
  type Trends as ToldTrends,
  type Watch,
  type Welcome,
} from "@kelvin/schema/live";
import { Series } from "./series.ts";
import { Trends } from "./trends.ts";

/** The way to the server: open, or being sought since when and at which attempt. */
export type Link =
  | { readonly state: "open" }
  | {
      readonly state: "connecting";
      readonly attempt: number;
      /** Since when there is no way; the chart stands still at this instant. */
      readonly sinceMs: number;
      /** The server's own words where it refused. */
      readonly refusal: string | undefined;
      /** Why the server disconnected, if it said so. */
      readonly goodbye: Goodbye["why"] | undefined;
    };

/** The device that is shown, with its readings. */
export interface Watched {
  readonly device: string;
  readonly boot: string;
  readonly series: Series;
  /** How far back the series goes. */
  readonly spanMs: number;
  known: boolean;
  /** The position that the next batch should begin with. */
  next: number;
  last: LastReading | undefined;
  intervalMs: number | undefined;
  kpis: readonly KpiTile[];
  /** Readings that came since the page was opened or the device was chosen. */
  received: number;
}

/** The chart's length until the server has said its own. */
export const DEFAULT_WINDOW_MS = 100_000;
/** Ended episodes kept, as many as the server keeps. */
const ENDED_EPISODES = 200;
/** The lag shown is the median of so many: one late packet does not make it flicker. */
const LAG_SAMPLES = 15;

/** A summary tells ages in whole milliseconds: a reading this much newer came after it. */
const FLEET_ROUNDING_MS = 10;

export class Store {
  link: Link;
  welcome: Welcome | undefined;
  health: Health | undefined;
  fleet: Fleet | undefined;
  devices: readonly FleetDevice[] = [];
  watched: Watched | undefined;
  /** What the viewer asked for; undefined: the server chooses. */
  picked: string | undefined;
  /** The length of the chart that the viewer asked for; undefined: the server's own. */
  spanMs: number | undefined;
  /** Of the listed devices. */
  readonly trends = new Trends();
  /** By id. */
  readonly episodes = new Map<string, Episode>();
  /** False until the server has told of all episodes: an empty list means nothing before. */
  episodesKnown = false;
  /** Counts what came about episodes, so that their list is drawn only when it changed. */
  episodesRevision = 0;
  /** The server uses another protocol than this page, and reloading the page did not help. */
  outdated = false;
  #goodbye: Goodbye["why"] | undefined;
  readonly #lagsMs: number[] = [];
  readonly #listeners: (() => void)[] = [];

  constructor(picked: string | undefined, nowMs: number, spanMs?: number) {
    this.picked = picked;
    this.spanMs = spanMs;
    this.link = { state: "connecting", attempt: 1, sinceMs: nowMs, refusal: undefined, goodbye: undefined };
  }

  /** Calls `listener` after each change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The length of the chart: the shortest there is that is as long as asked for, else the longest. */
  get windowMs(): number {
    const { welcome, spanMs } = this;
    if (welcome === undefined) return spanMs ?? DEFAULT_WINDOW_MS;
    if (spanMs === undefined) return welcome.windowMs;
    return welcome.spansMs.find((offered) => offered >= spanMs) ?? welcome.spansMs.at(-1) ?? welcome.windowMs;
  }

  /** The readings do not go as far back as the chart. */
  get isShort(): boolean {
    return this.watched !== undefined && this.watched.spanMs < this.windowMs;
  }

  /** What to ask the server for: the device shown, from where its readings end here, or all of it. */
  get wanted(): Watch {
    const { watched, picked } = this;
    const spanMs = this.spanMs === undefined ? null : this.windowMs;
    if (watched === undefined || this.isShort || (picked !== undefined && picked !== watched.device)) {
      return { device: picked ?? watched?.device ?? null, have: null, spanMs };
    }
    return { device: watched.device, have: { boot: watched.boot, next: watched.next }, spanMs };
  }

  /** The shown device as the list tells it, but with its newest reading: a summary comes only once a second. */
  get shownDevice(): FleetDevice | undefined {
    const { last, device } = this.watched ?? {};
    const told = this.devices.find(({ id }) => id === device);
    if (told === undefined || last === undefined) return told;
    const spoke = last.heardMs > told.heardMs + FLEET_ROUNDING_MS;
    return { ...told, celsius: last.celsius, change: last.change, stale: told.stale && !spoke };
  }

  /** From event to page, the median of the newest readings in milliseconds; undefined before the first. */
  get lagMs(): number | undefined {
    const sorted = [...this.#lagsMs].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }

  /** The server is about to hang up. */
  dismissed(why: Goodbye["why"]): void {
    this.#goodbye = why;
  }

  opened(): void {
    this.#goodbye = undefined;
    this.link = { state: "open" };
    this.#changed();
  }

  lost(nowMs: number): void {
    if (this.link.state === "open") {
      this.link = {
        state: "connecting",
        attempt: 0,
        sinceMs: nowMs,
        refusal: undefined,
        goodbye: this.#goodbye,
      };
    }
    this.#changed();
  }

  /** A further attempt to reach the server begins. */
  retrying(): void {
    if (this.link.state === "connecting") this.link = { ...this.link, attempt: this.link.attempt + 1 };
    this.#changed();
  }

  /** The server answered, but does not want this page. */
  refused(reason: string): void {
    if (this.link.state === "connecting") this.link = { ...this.link, refusal: reason };
    this.#changed();
  }

  pick(device: string): void {
    this.picked = device;
    this.#changed();
  }

  /** @param spanMs undefined: the server's own */
  stretch(spanMs: number | undefined): void {
    this.spanMs = spanMs;
    this.#changed();
  }

  isOutdated(): void {
    this.outdated = true;
    this.#changed();
  }

  welcomed(welcome: Welcome): void {
    this.welcome = welcome;
    this.#changed();
  }

  /** Replaces the shown device. A snapshot of a device that the viewer has left meanwhile is ignored. */
  snapshot(snapshot: Snapshot): void {
    if (this.picked !== undefined && this.picked !== snapshot.device) return;
    const series = new Series(snapshot.spanMs);
    append(series, snapshot.readings, 0);
    if (snapshot.truncated) series.wholeSinceMs = snapshot.readings.t0;
    this.#lagsMs.length = 0;
    this.watched = {
      device: snapshot.device,
      boot: snapshot.boot,
      series,
      spanMs: snapshot.spanMs,
      known: snapshot.known,
      next: snapshot.next,
      last: snapshot.last ?? undefined,
      intervalMs: snapshot.intervalMs ?? undefined,
      kpis: snapshot.kpis,
      received: 0,
    };
    this.#changed();
  }

  /**
   * Takes news of the shown device in. Returns false where something is missing before them: then ask for
   * `wanted` again. Messages about another device are ignored.
   */
  batch(batch: Batch, nowMs: number): boolean {
    const { watched } = this;
    if (watched === undefined || batch.device !== watched.device) return true;
    if (batch.boot !== watched.boot || batch.first > watched.next) return false;
    const already = Math.min(watched.next - batch.first, batch.readings.celsius.length);
    append(watched.series, batch.readings, already);
    const added = batch.readings.celsius.length - already;
    if (added > 0) {
      watched.next = batch.first + batch.readings.celsius.length;
      watched.received += added;
      watched.known = true;
      if (batch.last !== null) this.#lag(nowMs - batch.last.eventMs);
    }
    watched.last = batch.last ?? watched.last;
    watched.intervalMs = batch.intervalMs ?? watched.intervalMs;
    watched.kpis = batch.kpis ?? watched.kpis;
    this.#changed();
    return true;
  }

  heardOf(fleet: Fleet): void {
    this.fleet = fleet;
    this.devices = devicesOf(fleet);
    this.trends.heard(fleet);
    this.#changed();
  }

  trended(told: ToldTrends): void {
    this.trends.told(told);
    this.#changed();
  }

  alerted(alerts: Alerts): void {
    if (alerts.whole) this.episodes.clear();
    for (const episode of alerts.episodes) this.episodes.set(episode.id, episode);
    this.episodesKnown ||= alerts.whole;
    this.episodesRevision++;
    this.#forgetOldEpisodes();
    this.#changed();
  }

  checked(health: Health): void {
    this.health = health;
    this.#changed();
  }

  #lag(lagMs: number): void {
    this.#lagsMs.push(lagMs);
    if (this.#lagsMs.length > LAG_SAMPLES) this.#lagsMs.shift();
  }

  #forgetOldEpisodes(): void {
    const ended = [...this.episodes.values()].filter((episode) => episode.endedMs !== null);
    if (ended.length <= ENDED_EPISODES) return;
    ended.sort((a, b) => a.lastMs - b.lastMs);
    for (const episode of ended.slice(0, ended.length - ENDED_EPISODES)) this.episodes.delete(episode.id);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function append(series: Series, readings: Readings, from: number): void {
  const times = eventTimes(readings);
  for (let i = from; i < times.length; i++) series.add(times[i] ?? 0, readings.celsius[i] ?? 0);
}
