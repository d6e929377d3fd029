/** The topic `kpi`: a number per device over a trailing window, told every second. */
import * as z from "zod";
import { UtcTimestamp } from "./instant.ts";
import { Celsius, DeviceId } from "./sensor.ts";
import { defineTopic } from "./topic.ts";

const window = {
  device_id: DeviceId,
  window_seconds: z.number().int().positive(),
  /** Inclusive. */
  window_start: UtcTimestamp,
  /** Exclusive: the window holds `window_start <= event time < window_end`. */
  window_end: UtcTimestamp,
};

/** How many alerts a device raised in the window; 0 is said once, when the alerts stop. */
export const AlertCount = z.object({
  name: z.literal("alert_count"),
  value: z.number().int().nonnegative(),
  unit: z.literal("alerts"),
  ...window,
});
export type AlertCount = z.infer<typeof AlertCount>;

/** The mean of a device's readings in the window, 2 decimals; null is said once, when the readings stop. */
export const AverageTemperature = z.object({
  name: z.literal("average_temperature"),
  value: Celsius.nullable(),
  unit: z.literal("celsius"),
  ...window,
});
export type AverageTemperature = z.infer<typeof AverageTemperature>;

/** Any of the KPIs, told apart by `name`; `flow.ts` says how they are shown. */
export const Kpi = z.discriminatedUnion("name", [AlertCount, AverageTemperature]);
export type Kpi = z.infer<typeof Kpi>;

/** The topic `kpi`: keyed by device, kept for a week; event time is the window's end. */
export const kpiTopic = defineTopic<Kpi>({
  name: "kpi",
  value: Kpi,
  key: (kpi) => kpi.device_id,
  eventTimeMs: (kpi) => Date.parse(kpi.window_end),
  partitions: 3,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
});
