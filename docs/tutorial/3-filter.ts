/** Step 3: only readings hotter than 303 K continue. */
import { type Alert, round2, type SensorReading, sensorTopic } from "@kelvin/schema";
import { createStreamApp } from "@kelvin/streams";
import { ctrlC, input, log, tutorial } from "./shared.ts";

const app = createStreamApp(tutorial("filter"));

app
  .dataframe(input(sensorTopic))
  .apply(toTemperatures)
  .filter(isTooHot)
  .update(({ device_id, kelvin }) => log.error({ device_id, kelvin }, "🚨 Temperature too high!"))
  .print();

await app.run({ signal: ctrlC });

function isTooHot(temperatures: Alert): boolean {
  return temperatures.kelvin > 303;
}

function toTemperatures(reading: SensorReading): Alert {
  const celsius = reading.temperature;
  return {
    celsius: round2(celsius),
    fahrenheit: round2((celsius * 9) / 5 + 32),
    kelvin: round2(celsius + 273.15),
    device_id: reading.device_id,
    timestamp: reading.timestamp,
  };
}
