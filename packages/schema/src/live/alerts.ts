/** Alerts, gathered into episodes. */
import { isFlag, isNumber, isText, list, orNull, record } from "./guards.ts";

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
