/** The same work with the library. W1: sensor to alert. W2: mean of 10 s and alerts of 5 s for each device. */
import { agg, createStreamApp, type StreamApp, type WindowResult } from "@kelvin/streams";
import { ALERT_ABOVE_KELVIN, alertTopic, type Kpi, kpiTopic, sensorTopic, toAlert } from "./topics.ts";
import { jobOf } from "./worker.ts";

const { broker, name, workload, guarantee, commitEveryMs, input, output } = jobOf(() => void app.stop());
const app = createStreamApp({
  name,
  kafka: { brokers: [broker] },
  startFrom: "earliest",
  guarantee,
  ...(commitEveryMs === undefined ? {} : { commitEveryMs }),
  log: {
    debug() {},
    info() {},
    warn: (...said) => console.error(...said),
    error: (...said) => console.error(...said),
  },
});
const workloads = { W1: sensorToAlert, W2: twoWindows };
workloads[workload](app);
await app.run();
process.disconnect();

function sensorToAlert(to: StreamApp): void {
  to.dataframe(sensorTopic(input))
    .apply(toAlert)
    .filter(({ kelvin }) => kelvin > ALERT_ABOVE_KELVIN)
    .toTopic(alertTopic(output));
}

function twoWindows(to: StreamApp): void {
  const readings = to.dataframe(sensorTopic(input));
  const kpi = kpiTopic(output);
  readings
    .tumblingWindow("10s", { grace: "1s" })
    .aggregate({ mean: agg.mean(({ temperature }: { temperature: number }) => temperature) })
    .final()
    .apply((window) => toKpi("average_temperature", window, window.value.mean))
    .toTopic(kpi);
  readings
    .apply(toAlert)
    .filter(({ kelvin }) => kelvin > ALERT_ABOVE_KELVIN)
    .tumblingWindow("5s", { grace: "1s" })
    .aggregate({ count: agg.count() })
    .final()
    .apply((window) => toKpi("alert_count", window, window.value.count))
    .toTopic(kpi);
}

function toKpi(kind: Kpi["name"], window: WindowResult<unknown>, value: number | null): Kpi {
  const [window_start, window_end] = [new Date(window.startMs), new Date(window.endMs)].map((time) =>
    time.toISOString(),
  );
  return {
    name: kind,
    device_id: window.key,
    value,
    window_start: window_start ?? "",
    window_end: window_end ?? "",
  };
}
