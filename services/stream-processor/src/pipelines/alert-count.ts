import type { Alert, AlertCount, Kpi } from "@kelvin/schema";
import { utc } from "@kelvin/schema";
import { agg, type StreamApp, type TopicLike, type WindowResult } from "@kelvin/streams";
import type { WindowTiming } from "../config.ts";

interface AlertCountOptions {
  alertTopic: TopicLike<Alert>;
  kpiTopic: TopicLike<Kpi>;
  timing: WindowTiming;
}

/** alert ─► kpi: how many alerts each device raised in the last 5 s, told every second, back to 0 after silence. */
export function alertCount(app: StreamApp, { alertTopic, kpiTopic, timing }: AlertCountOptions): void {
  app
    .dataframe(alertTopic)
    .trailingWindow("5s", timing)
    .aggregate({ count: agg.count() })
    .apply(toAlertCount)
    .toTopic(kpiTopic);
}

function toAlertCount({ key, startMs, endMs, value }: WindowResult<{ count: number }>): AlertCount {
  return {
    name: "alert_count",
    device_id: key,
    value: value.count,
    unit: "alerts",
    window_seconds: (endMs - startMs) / 1000,
    window_start: utc(startMs),
    window_end: utc(endMs),
  };
}
