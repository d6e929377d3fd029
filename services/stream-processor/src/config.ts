/** The settings of the stream processor. */
import { alertTopic, kpiTopic, PIPELINES, sensorTopic } from "@kelvin/schema";
import { decimal, distinctTopics, integer, list, topicName } from "@kelvin/service-kit";
import type { Duration } from "@kelvin/streams";
import * as z from "zod";

/** Every pipeline, in the order in which a reading passes through them. */
export const PIPELINE_NAMES = PIPELINES.map(({ name }) => name);

const PipelineNames = list()
  .pipe(z.array(z.enum(PIPELINE_NAMES, `must list one or more of ${PIPELINE_NAMES.join(", ")}`)))
  .transform((names) => [...new Set(names)]);

/** As long as topics keep their records: what is older is not there to be corrected. */
const WEEK_SECONDS = 7 * 24 * 60 * 60;

const Variables = z.object({
  /** Which of the pipelines this process runs, separated by commas. */
  PIPELINES: PipelineNames.default([...PIPELINE_NAMES]),
  /** Where a pipeline begins whose group has no position yet; `earliest` computes all that the topic still holds. */
  START_FROM: z.enum(["latest", "earliest"], "must be latest or earliest").default("latest"),
  /** What holds where a process or a broker dies; with `exactly-once` nothing is told twice, and everything a little later. */
  GUARANTEE: z
    .enum(["at-least-once", "exactly-once"], "must be at-least-once or exactly-once")
    .default("at-least-once"),
  /** How often positions are committed. Unset: 200, with `exactly-once` 100. */
  COMMIT_EVERY_MS: integer({ min: 10, max: 60_000 }).optional(),
  /** A reading above this many kelvin, not at it, is an alert. */
  ALERT_ABOVE_KELVIN: decimal({ min: 0, max: 10_000 }).default(303),
  /** A record this late still corrects its windows; a later one is put to the dead letters. */
  ALLOWED_LATENESS_SECONDS: decimal({ min: 0, max: WEEK_SECONDS }).default(60),
  /** A record further ahead of the clock than this has a wrong time: put to the dead letters. */
  MAX_FUTURE_SECONDS: decimal({ min: 0, max: WEEK_SECONDS }).default(60),
  /** After this much silence, windows advance by the wall clock. */
  IDLE_AFTER_SECONDS: decimal({ min: 0.1, max: 3600 }).default(2),
  /** Consumer groups are named `<prefix>-<pipeline>`: two installations on one cluster need two prefixes. */
  GROUP_PREFIX: z.string().max(200, "is longer than 200 characters").default("kelvin"),
  SENSOR_TOPIC: topicName(sensorTopic.name),
  ALERT_TOPIC: topicName(alertTopic.name),
  KPI_TOPIC: topicName(kpiTopic.name),
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

/** How windows follow time. */
export interface WindowTiming {
  every: Duration;
  idleAfter: Duration;
  allowedLateness: Duration;
  maxFuture: Duration;
}

export function windowTiming(settings: Settings): WindowTiming {
  const duration = (seconds: number): Duration => `${Math.round(seconds * 1000)}ms`;
  return {
    every: "1s",
    idleAfter: duration(settings.IDLE_AFTER_SECONDS),
    allowedLateness: duration(settings.ALLOWED_LATENESS_SECONDS),
    maxFuture: duration(settings.MAX_FUTURE_SECONDS),
  };
}
