/** Step 7, a solution: the number of alerts of each device in the last 5 s, every second. */
import { type AlertCount, alertTopic, kpiTopic, utc } from "@kelvin/schema";
import { agg, createStreamApp, type WindowResult } from "@kelvin/streams";
import { ctrlC, input, output, tutorial } from "./shared.ts";

const app = createStreamApp(tutorial("alert-count"));

app
  .dataframe(input(alertTopic))
  .trailingWindow("5s", { every: "1s" })
  .aggregate({ count: agg.count() })
  .apply(toKpi)
  .print()
  .toTopic(output(kpiTopic));

await app.run({ signal: ctrlC });

function toKpi({ key, startMs, endMs, value }: WindowResult<{ count: number }>): AlertCount {
  return {
    name: "alert_count",
    device_id: key,
    value: value.count,
    unit: "alerts",
    window_seconds: 5,
    window_start: utc(startMs),
    window_end: utc(endMs),
  };
}
