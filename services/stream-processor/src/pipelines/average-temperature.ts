import { type AverageTemperature, type Kpi, round2, type SensorReading, utc } from "@kelvin/schema";
import { agg, type StreamApp, type TopicLike, type WindowResult } from "@kelvin/streams";
import type { WindowTiming } from "../config.ts";

interface AverageTemperatureOptions {
  sensorTopic: TopicLike<SensorReading>;
  kpiTopic: TopicLike<Kpi>;
  timing: WindowTiming;
}

/** sensor ─► kpi: the mean temperature of each device over the last 10 s, told every second, null after silence. */
export function averageTemperature(app: StreamApp, options: AverageTemperatureOptions): void {
  app
    .dataframe(options.sensorTopic)
    .trailingWindow("10s", options.timing)
    .aggregate({ mean: agg.mean((reading: SensorReading) => reading.temperature) })
    .apply(toAverageTemperature)
    .toTopic(options.kpiTopic);
}

function toAverageTemperature(window: WindowResult<{ mean: number | null }>): AverageTemperature {
  return {
    name: "average_temperature",
    device_id: window.key,
    value: window.value.mean === null ? null : round2(window.value.mean),
    unit: "celsius",
    window_seconds: (window.endMs - window.startMs) / 1000,
    window_start: utc(window.startMs),
    window_end: utc(window.endMs),
  };
}
