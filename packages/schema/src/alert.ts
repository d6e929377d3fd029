/** The topic `alert`: readings that were too hot. */
import * as z from "zod";
import { instantOf, Timestamp } from "./instant.ts";
import { Celsius, DeviceId } from "./sensor.ts";
import { defineTopic } from "./topic.ts";

/** One reading above the limit in the three units of the tutorial, 2 decimals each; its five fields and no more. */
export const Alert = z.object({
  celsius: Celsius,
  fahrenheit: z.number(),
  kelvin: z.number(),
  device_id: DeviceId,
  /** The reading's own timestamp, untouched. */
  timestamp: Timestamp,
});
export type Alert = z.infer<typeof Alert>;

/** The topic `alert`: keyed by device, kept for a week; event time is the reading's, else the record's. */
export const alertTopic = defineTopic<Alert>({
  name: "alert",
  value: Alert,
  key: (alert) => alert.device_id,
  eventTimeMs: (alert, recordTimestampMs) => instantOf(alert.timestamp) ?? recordTimestampMs,
  partitions: 3,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
});
