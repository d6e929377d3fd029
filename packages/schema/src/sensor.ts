/** The topic `sensor`: what the machines say. */
import * as z from "zod";
import { instantOf, Timestamp } from "./instant.ts";
import { defineTopic } from "./topic.ts";

/** A device's name, 1 to 64 characters of any kind: it comes from outside and is never trusted as markup. */
export const DeviceId = z.string().min(1).max(64);

const ABSOLUTE_ZERO_CELSIUS = -273.15;

/**
 * Degrees Celsius. Colder than absolute zero or a million degrees is a broken sensor, and a number near the end of a
 * double would overflow on its way to Fahrenheit.
 */
export const Celsius = z.number().min(ABSOLUTE_ZERO_CELSIUS).max(1_000_000);

/**
 * One temperature measurement, exactly the tutorial's message.
 *
 * Unknown fields are dropped, not refused: a newer producer may run beside an older reader.
 */
export const SensorReading = z.object({
  /** Where it carries a UTC offset it is the event time; otherwise the record's Kafka timestamp is. */
  timestamp: Timestamp,
  device_id: DeviceId,
  /** 2 decimals. */
  temperature: Celsius,
});
export type SensorReading = z.infer<typeof SensorReading>;

/** The topic `sensor`: keyed by device, kept for a week; event time is the reading's, else the record's. */
export const sensorTopic = defineTopic<SensorReading>({
  name: "sensor",
  value: SensorReading,
  key: (reading) => reading.device_id,
  eventTimeMs: (reading, recordTimestampMs) => instantOf(reading.timestamp) ?? recordTimestampMs,
  partitions: 3,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
});
