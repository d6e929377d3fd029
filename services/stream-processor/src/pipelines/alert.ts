import type { Alert, SensorReading } from "@kelvin/schema";
import type { Log, StreamApp, TopicLike } from "@kelvin/streams";
import { toTemperatures } from "../temperatures.ts";

interface AlertOptions {
  sensorTopic: TopicLike<SensorReading>;
  alertTopic: TopicLike<Alert>;
  /** A reading is too hot above this, not at it. */
  aboveKelvin: number;
  log: Log;
}

/** sensor ─► alert: every reading in °C, °F and K that is hotter than the limit. */
export function alert(app: StreamApp, { sensorTopic, alertTopic, aboveKelvin, log }: AlertOptions): void {
  app
    .dataframe(sensorTopic)
    .apply(toTemperatures)
    .filter((temperatures) => temperatures.kelvin > aboveKelvin)
    .update((temperatures) => log.error({ ...temperatures }, "🚨 Temperature too high!"))
    .toTopic(alertTopic);
}
