/** The settings of the stream processor. */
import { decimal, list } from "@kelvin/service-kit";
import type { Duration } from "@kelvin/streams";
import * as z from "zod";

/** Every pipeline, in the order in which a reading passes through them. */
export const PIPELINE_NAMES = ["alert", "alert-count", "average-temperature"] as const;
export type PipelineName = (typeof PIPELINE_NAMES)[number];

const PIPELINES = list()
  .pipe(z.array(z.enum(PIPELINE_NAMES, `must name pipelines of ${PIPELINE_NAMES.join(", ")}`)))
  .transform((names) => [...new Set(names)]);

const topicName = (name: string) =>
  z
    .string()
    .regex(/^[\w.-]{1,249}$/, "is not a name for a topic")
    .default(name);

export const Settings = z.object({
  /** Which of the pipelines this process runs, separated by commas. */
  PIPELINES: PIPELINES.default([...PIPELINE_NAMES]),
  /** Where a pipeline begins whose group has no position yet; `earliest` computes all that the topic still holds. */
  START_FROM: z.enum(["latest", "earliest"], "must be latest or earliest").default("latest"),
  /** A reading above this many kelvin, not at it, is an alert. */
  ALERT_ABOVE_KELVIN: decimal({ min: 0 }).default(303),
  /** A record this late still corrects its windows; a later one is put to the dead letters. */
  ALLOWED_LATENESS_SECONDS: decimal({ min: 0 }).default(60),
  /** A record further ahead of the clock than this has a wrong time: put to the dead letters. */
  MAX_FUTURE_SECONDS: decimal({ min: 0 }).default(60),
  /** After this much silence windows go on by the wall clock. */
  IDLE_AFTER_SECONDS: decimal({ min: 0.1 }).default(2),
  /** Consumer groups are named `<prefix>-<pipeline>`: two installations on one cluster need two prefixes. */
  GROUP_PREFIX: z.string().min(1).default("kelvin"),
  SENSOR_TOPIC: topicName("sensor"),
  ALERT_TOPIC: topicName("alert"),
  KPI_TOPIC: topicName("kpi"),
});
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
