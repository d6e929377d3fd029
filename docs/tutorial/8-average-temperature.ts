/** Step 8, a solution: the average temperature of each device over the last 10 s, every second. */
import {
  type AverageTemperature,
  kpiTopic,
  round2,
  type SensorReading,
  sensorTopic,
  utc,
} from "@kelvin/schema";
import { agg, createStreamApp, type WindowResult } from "@kelvin/streams";
import { ctrlC, input, output, tutorial } from "./shared.ts";

const app = createStreamApp(tutorial("average-temperature"));

app
  .dataframe(input(sensorTopic))
  .trailingWindow("10s", { every: "1s" })
  .aggregate({ mean: agg.mean((reading: SensorReading) => reading.temperature) })
  .apply(toKpi)
  .print()
  .toTopic(output(kpiTopic));

await app.run({ signal: ctrlC });

function toKpi({ key, startMs, endMs, value }: WindowResult<{ mean: number | null }>): AverageTemperature {
  return {
    name: "average_temperature",
    device_id: key,
    // No reading in the window: there is no average, and 0 would be a lie.
    value: value.mean === null ? null : round2(value.mean),
    unit: "celsius",
    window_seconds: 10,
    window_start: utc(startMs),
    window_end: utc(endMs),
  };
}
