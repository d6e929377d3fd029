/**
 * `window.__kelvin`: what the page holds, for tests and for the curious in the console. It reads only; nothing in
 * the page depends on it. The page's README lists the marks in the DOM that tests may rely on.
 */

import { type Choices, queryOf } from "./address.ts";
import type { Connection } from "./connection.ts";
import { momentOf } from "./moment.ts";
import { noticesOf } from "./states.ts";
import { DEFAULT_WINDOW_MS, type Store } from "./store.ts";

export interface SeriesPoint {
  /** Event time, milliseconds since the epoch. */
  readonly timeMs: number;
  readonly celsius: number;
}

export interface Hooks {
  /** The readings of the shown device over the length of the chart (by event time), in the order of the topic. */
  series(): SeriesPoint[];
  /** The shown device. */
  device(): string | undefined;
  /** All states that hold: the state of the whole first, then the troubles. */
  states(): string[];
  /** The server's time as the page sees it. */
  nowMs(): number;
  /** Readings that came after the snapshot, messages that did not fit the contract, times that the page was drawn. */
  counters(): { received: number; misfits: number; draws: number };
  /** The address's query for the present choices. */
  query(): string;
}

declare global {
  interface Window {
    __kelvin?: Hooks;
  }
}

export function hooksOf(
  store: Store,
  connection: Connection,
  nowMs: () => number,
  choices: () => Choices,
  draws: () => number,
): Hooks {
  return Object.freeze({
    series() {
      const moment = momentOf(store, nowMs());
      const endMs = moment?.endMs ?? nowMs();
      const windowMs = moment?.windowMs ?? DEFAULT_WINDOW_MS;
      const columns = store.watched?.series.since(endMs - windowMs);
      return Array.from(columns?.timesMs ?? [], (timeMs, i) => ({
        timeMs,
        celsius: columns?.celsius[i] ?? Number.NaN,
      }));
    },
    device: () => store.watched?.device,
    states: () => noticesOf(store, momentOf(store, nowMs()), nowMs()).map(({ state }) => state),
    nowMs,
    counters: () => ({ received: store.watched?.received ?? 0, misfits: connection.misfits, draws: draws() }),
    query: () => queryOf(choices()),
  });
}
