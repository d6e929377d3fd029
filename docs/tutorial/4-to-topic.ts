/** Step 4: what is too hot goes to a topic. */
import { type Alert, alertTopic, round2, type SensorReading, sensorTopic } from "@kelvin/schema";
import { createStreamApp } from "@kelvin/streams";
import { ctrlC, input, log, output, tutorial } from "./shared.ts";

const app = createStreamApp(tutorial("alert"));

app
  .dataframe(input(sensorTopic))
  .apply(toTemperatures)
  .filter(isTooHot)
  .update(({ device_id, kelvin }) => log.error({ device_id, kelvin }, "🚨 Temperature too high!"))
  .toTopic(output(alertTopic));

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
