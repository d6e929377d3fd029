/** The settings of the dashboard, from the environment. */
import { alertTopic, kpiTopic, sensorTopic } from "@kelvin/schema";
import { decimal, distinctTopics, integer, list, topicName } from "@kelvin/service-kit";
import * as z from "zod";
import type { StateLimits } from "./state.ts";

/** The length of the chart. */
export const WINDOW_MS = 100_000;
/** Kept a bit longer, so that a reading is there until it has left the chart for sure. */
const KEPT_MS = WINDOW_MS + 10_000;

const Origin = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin);

const Variables = z.object({
  SENSOR_TOPIC: topicName(sensorTopic.name),
  ALERT_TOPIC: topicName(alertTopic.name),
  KPI_TOPIC: topicName(kpiTopic.name),
  /** The stream-processor's: its consumer groups are watched, `<prefix>-alert` and so on. */
  GROUP_PREFIX: z.string().max(200, "is longer than 200 characters").default("kelvin"),
  /** The limit that the chart shows as a line; the same variable as the stream-processor's, which applies it. */
  ALERT_ABOVE_KELVIN: decimal({ min: 0, max: 10_000 }).default(303),
  /**
   * Addresses under which the page may be opened, besides the machine's loopback names and any IP address: needed
   * behind a proxy or under a DNS name, as in https://dashboard.example.com.
   */
  ALLOWED_ORIGINS: list()
    .transform((origins, context) =>
      origins.flatMap((origin) => {
        const parsed = Origin.safeParse(origin);
        if (!parsed.success)
          context.addIssue(`"${origin}" is not an origin like https://dashboard.example.com`);
        return parsed.success ? [parsed.data] : [];
      }),
    )
    .default([]),
  /**
   * Whoever opens the page must know it, if it is set: by a link with `?token=`, which leaves a cookie, or as
   * `Authorization: Bearer`. Printable ASCII without spaces; as `openssl rand -hex 16` makes it.
   */
  DASHBOARD_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,512}$/, "must be 16 to 512 printable characters without spaces")
    .optional(),
  /** What the page tells people to type to start a producer and the stream processor; npm's commands where unset. */
  PRODUCER_COMMAND: z.string().min(1).max(500).optional(),
  PROCESSOR_COMMAND: z.string().min(1).max(500).optional(),
  /** The device least recently heard makes way for one more. */
  MAX_DEVICES: integer({ min: 1, max: 1_000_000 }).default(10_000),
  /** Of one device; at more readings than these in 100 s the chart begins later, and the page says so. */
  MAX_READINGS_PER_DEVICE: integer({ min: 100, max: 1_000_000 }).default(20_000),
  /** Of all devices together; each takes 24 bytes. */
  MAX_READINGS: integer({ min: 100, max: 100_000_000 }).default(2_000_000),
  /** Pages connected at a time. */
  MAX_CLIENTS: integer({ min: 1, max: 1_000_000 }).default(5_000),
  /** The same from one address: an office shares one, and behind a proxy all do. */
  MAX_CLIENTS_PER_ADDRESS: integer({ min: 1, max: 1_000_000 }).default(1_000),
});

export const Settings = z.intersection(
  Variables,
  distinctTopics({
    SENSOR_TOPIC: sensorTopic.name,
    ALERT_TOPIC: alertTopic.name,
    KPI_TOPIC: kpiTopic.name,
  }),
);
export type Settings = z.output<typeof Settings>;

export function limitsOf(settings: Settings): StateLimits {
  return {
    maxAgeMs: KEPT_MS,
    maxDevices: settings.MAX_DEVICES,
    maxReadings: settings.MAX_READINGS_PER_DEVICE,
    maxReadingsInAll: settings.MAX_READINGS,
  };
}
