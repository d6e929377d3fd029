/** The alerts of a device, gathered into episodes, as lines to read. */
import type { Episode } from "@kelvin/schema/live";
import { type AlarmKnowledge, alarmKnowledge, unknownSince } from "./alarms.ts";
import { clock, plural, temperature, type Unit, wholeSeconds } from "./format.ts";
import type { Store } from "./store.ts";

/** More are not listed: nobody reads them, and the page stays quick. */
const LISTED = 100;
/** Of the ended ones so many are at once in sight where the list makes the page longer; the others are earlier ones. */
export const ENDED_IN_SIGHT = 5;
const NO_BREAK_SPACE = "\u00a0";

export interface EpisodeLine {
  readonly id: string;
  readonly device: string;
  /** `unknown`: it was open when the alert pipeline was last known to be up to date. */
  readonly state: "ongoing" | "unknown" | "ended";
  readonly word: string;
  /** The newest that is above the limit; "" where it is none of now. */
  readonly value: string;
  readonly detail: string;
  /** Ended, and not among the newest that are. */
  readonly isEarlier: boolean;
}

/** Open ones first, then the ended; in both the latest begun on top, so that lines keep their places. */
export function episodeLines(store: Store, unit: Unit, nowMs: number): EpisodeLine[] {
  const all = [...store.episodes.values()];
  all.sort(
    (a, b) =>
      Number(a.endedMs !== null) - Number(b.endedMs !== null) ||
      b.sinceMs - a.sinceMs ||
      (a.id < b.id ? -1 : 1),
  );
  const knowledge = alarmKnowledge(store);
  const open = all.filter(({ endedMs }) => endedMs === null).length;
  return all.slice(0, LISTED).map((episode, i) => ({
    ...line(episode, knowledge, unit, nowMs),
    isEarlier: i >= open + ENDED_IN_SIGHT,
  }));
}

function line(
  episode: Episode,
  knowledge: AlarmKnowledge,
  unit: Unit,
  nowMs: number,
): Omit<EpisodeLine, "isEarlier"> {
  const { id, device, sinceMs, lastMs, endedMs, readings, peakCelsius, lastCelsius } = episode;
  // Held together where the line is broken.
  const peak = `peak ${temperature(peakCelsius, unit)}`.replaceAll(" ", NO_BREAK_SPACE);
  const raised = plural(readings, "reading").replaceAll(" ", NO_BREAK_SPACE);
  if (endedMs === null && !knowledge.isSure) {
    const unknown = `since ${clock(unknownSince(knowledge, lastMs))}`;
    const detail = `${unknown}; high from ${clock(sinceMs)}, ${raised}, ${peak}`;
    return { id, device, state: "unknown", word: "Unknown", value: "", detail };
  }
  if (endedMs === null) {
    const lasts = wholeSeconds(nowMs - sinceMs);
    const detail = `since ${clock(sinceMs)}, ${lasts}, ${raised}, ${peak}`;
    return { id, device, state: "ongoing", word: "High", value: temperature(lastCelsius, unit), detail };
  }
  const span = `${clock(sinceMs)} to ${clock(lastMs)}, ${wholeSeconds(lastMs - sinceMs)}`;
  const detail = `${lastMs === sinceMs ? clock(sinceMs) : span}, ${raised}, ${peak}`;
  return { id, device, state: "ended", word: "Over", value: "", detail };
}

/**
 * What stands where no episode is listed. An empty list is an all-clear only while the alert pipeline is known to
 * be up to date.
 */
export function noAlertsText(store: Store): string {
  if (store.episodes.size > 0) return "";
  const knowledge = alarmKnowledge(store);
  if (knowledge.isSure) return "None. The alert pipeline is up to date.";
  const since = knowledge.sinceMs === undefined ? "" : ` since ${clock(knowledge.sinceMs)}`;
  return `Unknown${since}: ${knowledge.why}.`;
}

/** Tells new alerts to a screen reader: what has begun since the last call, in one sentence; "" for nothing. */
export class Announcer {
  readonly #told = new Set<string>();
  #begun = false;

  /** The first call tells nothing: what is already there when the page opens is no news. */
  news(store: Store, unit: Unit): string {
    if (!store.episodesKnown) return "";
    const fresh = [...store.episodes.values()].filter(({ id }) => !this.#told.has(id));
    for (const { id } of fresh) this.#told.add(id);
    for (const id of this.#told) if (!store.episodes.has(id)) this.#told.delete(id);
    const first = !this.#begun;
    this.#begun = true;
    const open = first ? [] : fresh.filter(({ endedMs }) => endedMs === null);
    const [one] = open;
    if (one === undefined) return "";
    if (open.length > 1) return `${open.length} new alerts: ${open.map(({ device }) => device).join(", ")}`;
    return `New alert: ${one.device} at ${temperature(one.lastCelsius, unit)}`;
  }
}
