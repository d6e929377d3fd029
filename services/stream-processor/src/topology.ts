/** Which pipelines there are, and the topics and limits each one gets. */
import { alertTopic, kpiTopic, type PipelineName, renamed, sensorTopic } from "@kelvin/schema";
import type { Log, StreamApp } from "@kelvin/streams";
import { type Settings, windowTiming } from "./config.ts";
import { alert } from "./pipelines/alert.ts";
import { alertCount } from "./pipelines/alert-count.ts";
import { averageTemperature } from "./pipelines/average-temperature.ts";

/** The consumer group of a pipeline, which is also the name of its app. */
export function groupOf(pipeline: PipelineName, settings: Settings): string {
  return `${settings.GROUP_PREFIX}-${pipeline}`;
}

/** The topics under the names that the settings give them. */
export function topicsOf(settings: Settings) {
  return {
    sensorTopic: renamed(sensorTopic, settings.SENSOR_TOPIC),
    alertTopic: renamed(alertTopic, settings.ALERT_TOPIC),
    kpiTopic: renamed(kpiTopic, settings.KPI_TOPIC),
  };
}

interface BuildOptions {
  topics: ReturnType<typeof topicsOf>;
  settings: Settings;
  log: Log;
}

/** Puts a pipeline's steps into its app. */
export function build(pipeline: PipelineName, app: StreamApp, { topics, settings, log }: BuildOptions): void {
  const timing = windowTiming(settings);
  const pipelines = {
    alert: () => alert(app, { ...topics, aboveKelvin: settings.ALERT_ABOVE_KELVIN, log }),
    "alert-count": () => alertCount(app, { ...topics, timing }),
    "average-temperature": () => averageTemperature(app, { ...topics, timing }),
  } satisfies Record<PipelineName, () => void>;
  pipelines[pipeline]();
}
