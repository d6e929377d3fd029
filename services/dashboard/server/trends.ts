/** The last 100 s of the worst devices in a few points each: what a page draws beside each of them at once. */
import type { Trends } from "@kelvin/schema/live";
import type { Devices } from "./devices.ts";

const POINTS = 20;
/** With more devices a page draws the lines of these from its opening on: 200 of them are 16 kB. */
const DEVICES_MAX = 200;

/** @param ids worst first; the others go without */
export function trendsOf(devices: Devices, ids: readonly string[], windowMs: number, nowMs: number): Trends {
  const stepMs = windowMs / POINTS;
  const drawn = ids.slice(0, DEVICES_MAX);
  return {
    nowMs,
    stepMs,
    ids: drawn,
    deciCelsius: drawn.map((id) => {
      const ring = devices.get(id)?.ring;
      return Array.from({ length: POINTS }, (_, i) => {
        const untilMs = nowMs - (POINTS - 1 - i) * stepMs;
        const celsius = ring?.newestHeardBetween(untilMs - stepMs, untilMs);
        return celsius === undefined ? null : Math.round(celsius * 10);
      });
    }),
  };
}
