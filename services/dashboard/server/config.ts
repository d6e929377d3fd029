/** The settings of the dashboard, from the environment. */
import { alertTopic, kpiTopic, sensorTopic } from "@kelvin/schema";
import { decimal, distinctTopics, integer, list, topicName } from "@kelvin/service-kit";
import * as z from "zod";
import { keptMs } from "./rings.ts";
import type { StateLimits } from "./state.ts";

/** The length of the chart, unless a page asks for another. */
export const WINDOW_MS = 100_000;
const MINUTE_MS = 60_000;
/** The lengths that people ask for; those beyond `HISTORY_MINUTES` are not offered. */
const SPANS_MS = [WINDOW_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];

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
  /**
   * The longest chart: so much is kept of the readings, and read back at the start. 15 minutes of 1,000 devices at a
   * reading a second are 24 MB, and take some seconds to read.
   */
  HISTORY_MINUTES: integer({ min: 2, max: 240 }).default(15),
  /** Of one device; with more than these in the length of the chart it begins later, and the page says so. */
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

/** The lengths that a chart may have, shortest first. */
export function spansMs({ HISTORY_MINUTES }: Pick<Settings, "HISTORY_MINUTES">): number[] {
  const longest = HISTORY_MINUTES * MINUTE_MS;
  return [...SPANS_MS.filter((span) => span < longest), longest];
}

export function limitsOf(settings: Settings): StateLimits {
  return {
    maxAgeMs: keptMs(Math.max(...spansMs(settings))),
    maxDevices: settings.MAX_DEVICES,
    maxReadings: settings.MAX_READINGS_PER_DEVICE,
    maxReadingsInAll: settings.MAX_READINGS,
  };
}
