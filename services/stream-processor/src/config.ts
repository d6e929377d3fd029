/** The settings of the stream processor. */
import * as z from "zod";

/** Every pipeline, in the order in which a reading passes through them. */
export const PIPELINE_NAMES = ["alert", "alert-count", "average-temperature"] as const;
export const PipelineName = z.enum(PIPELINE_NAMES);
export type PipelineName = z.infer<typeof PipelineName>;

const PipelineNames = z
  .string()
  .default(PIPELINE_NAMES.join(","))
  .transform((text) => text.split(",").map((name) => name.trim()))
  .pipe(z.array(PipelineName).min(1))
  .transform((names) => [...new Set(names)]);

const Seconds = z.coerce.number().positive();

export const settingsShape = {
  /** Which of the pipelines this process runs, separated by commas. */
  PIPELINES: PipelineNames,
  /** Where a pipeline begins whose group has no position yet; `earliest` computes all that the topic still holds. */
  START_FROM: z.enum(["latest", "earliest"]).default("latest"),
  /** A reading above this many kelvin is an alert. */
  ALERT_ABOVE_KELVIN: z.coerce.number().positive().default(303),
  /** A record this late still corrects its windows; a later one is counted and left out. */
  ALLOWED_LATENESS_SECONDS: z.coerce.number().nonnegative().default(60),
  /** A record further ahead than this comes from a wrong clock: counted and left out. */
  MAX_FUTURE_SECONDS: z.coerce.number().nonnegative().default(60),
  /** Windows go on by the wall clock after this much silence. */
  IDLE_AFTER_SECONDS: Seconds.default(2),
  SENSOR_TOPIC: z.string().min(1).default("sensor"),
  ALERT_TOPIC: z.string().min(1).default("alert"),
  KPI_TOPIC: z.string().min(1).default("kpi"),
};
export type ProcessorSettings = z.infer<z.ZodObject<typeof settingsShape>>;

/** How windows follow time, in milliseconds. */
export interface WindowTiming {
  every: number;
  idleAfter: number;
  allowedLateness: number;
  maxFuture: number;
}

export function windowTiming(settings: ProcessorSettings): WindowTiming {
  return {
    every: 1000,
    idleAfter: settings.IDLE_AFTER_SECONDS * 1000,
    allowedLateness: settings.ALLOWED_LATENESS_SECONDS * 1000,
    maxFuture: settings.MAX_FUTURE_SECONDS * 1000,
  };
}
