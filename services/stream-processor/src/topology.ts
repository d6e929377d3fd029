/** Which pipelines there are, and the topics and limits each one gets. */
import { alertTopic, kpiTopic, renamed, sensorTopic } from "@kelvin/schema";
import type { Log, StreamApp } from "@kelvin/streams";
import { type PipelineName, type Settings, windowTiming } from "./config.ts";
import { alert } from "./pipelines/alert.ts";
import { alertCount } from "./pipelines/alert-count.ts";
import { averageTemperature } from "./pipelines/average-temperature.ts";

/** The consumer group of a pipeline, which is also the name of its app. */
export function groupOf(pipeline: PipelineName, settings: Settings): string {
  return `${settings.GROUP_PREFIX}-${pipeline}`;
}

/** Puts a pipeline's steps into its app. */
export function build(pipeline: PipelineName, app: StreamApp, settings: Settings, log: Log): void {
  const sensor = renamed(sensorTopic, settings.SENSOR_TOPIC);
  const alerts = renamed(alertTopic, settings.ALERT_TOPIC);
  const kpis = renamed(kpiTopic, settings.KPI_TOPIC);
  const timing = windowTiming(settings);
  const pipelines = {
    alert: () =>
      alert(app, { sensorTopic: sensor, alertTopic: alerts, aboveKelvin: settings.ALERT_ABOVE_KELVIN, log }),
    "alert-count": () => alertCount(app, { alertTopic: alerts, kpiTopic: kpis, timing }),
    "average-temperature": () => averageTemperature(app, { sensorTopic: sensor, kpiTopic: kpis, timing }),
  } satisfies Record<PipelineName, () => void>;
  pipelines[pipeline]();
}
