/**
 * What the dashboard server and a page say to each other over socket.io. Both sides take it from here.
 *
 * Each message lies in `live/` with its guard, by which what comes in is checked; free of zod, so that a page stays small.
 * Every field is always there: what has no value is null. Instants are milliseconds since the epoch by the server's clock,
 * event times by the device's. Device ids come from outside and are hostile: text, never markup.
 */

import { type Alerts, isAlerts } from "./live/alerts.ts";
import { type Ack, type Goodbye, isWelcome, type Watch, type Welcome } from "./live/connection.ts";
import { type Batch, isSnapshot, type Snapshot } from "./live/device.ts";
import { type Fleet, isFleet, isTrends, type Trends } from "./live/fleet.ts";
import { isDeviceId, isPosition, orNull, record } from "./live/guards.ts";
import { type Health, isHealth } from "./live/health.ts";

export * from "./flow.ts";
export * from "./live/alerts.ts";
export * from "./live/connection.ts";
export * from "./live/device.ts";
export * from "./live/fleet.ts";
export * from "./live/health.ts";

/** Raised with each change that an older page could not read; a page that sees another number reloads itself. */
export const LIVE_VERSION = 4;

/** What the server tells a page, by event name. */
export interface ServerToPage {
  /** First after each connect. */
  welcome: (welcome: Welcome) => void;
  /** The watched device, whole: after `watch`, and whenever a page must start over. Replaces what the page had. */
  snapshot: (snapshot: Snapshot) => void;
  /** News of the watched device: at once while there is little, else in batches at most 10 times a second. */
  batch: (batch: Batch) => void;
  /** All devices in short: after connect and then once a second. To be answered with `ack` each time. */
  fleet: (fleet: Fleet) => void;
  /** The last 100 s of the listed devices in short: once after connect. The page continues with what `fleet` says. */
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
 * picture then does not wait for the socket, which continues from there.
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

/** Whether this is an {@link Opening}, each part of it by its own guard. */
export const isOpening = record<Opening>({
  welcome: isWelcome,
  health: isHealth,
  alerts: isAlerts,
  fleet: isFleet,
  trends: isTrends,
  snapshot: orNull(isSnapshot),
});

/**
 * Relative to the page's own address. Both sides make it, since a browser takes what it has fetched by its address.
 *
 * @param spanMs how far back the device's readings are to go; undefined: as far as `windowMs`
 */
export function openingPath({ device, spanMs }: OpeningOf): string {
  const said: string[] = [];
  if (isDeviceId(device)) said.push(`device=${encodeURIComponent(device)}`);
  if (spanMs !== undefined) said.push(`span=${spanMs / 1_000}`);
  return said.length === 0 ? "opening.json" : `opening.json?${said.join("&")}`;
}

/** What an address says of the first picture: the page's own, and that of its {@link Opening}. */
export interface OpeningOf {
  readonly device: string | undefined;
  readonly spanMs: number | undefined;
}

/** Reads an address's query (`device=machine-01&span=300`, seconds); anything else counts as not said. */
export function openingOf(query: string): OpeningOf {
  const said = new URLSearchParams(query);
  const device = said.get("device");
  const seconds = Number(said.get("span"));
  const spanMs = 1_000 * seconds;
  return {
    device: isDeviceId(device) ? device : undefined,
    // What a server would not take as a `Watch` would lock the page out.
    spanMs: Number.isInteger(seconds) && isPosition(spanMs) && spanMs > 0 ? spanMs : undefined,
  };
}

/** What a page tells the server, by event name. Messages over 16 kB close the connection. */
export interface PageToServer {
  /** Show another device, or ask again after a gap. Answered with `snapshot`, or `batch` where that is enough. */
  watch: (watch: Watch) => void;
  /**
   * Everything up to a `fleet` is taken in; said after each, at once. Who is more than 2 s or 256 kB late gets no
   * readings and no fleet until the newest one sent is said, and then one snapshot; after 30 s the server disconnects it.
   */
  ack: (ack: Ack) => void;
}
