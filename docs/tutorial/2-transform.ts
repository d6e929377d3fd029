/** Step 2: every reading in °C, °F and K. */
import { type Alert, round2, type SensorReading, sensorTopic } from "@kelvin/schema";
import { createStreamApp } from "@kelvin/streams";
import { ctrlC, input, tutorial } from "./shared.ts";

const app = createStreamApp(tutorial("transform"));

app.dataframe(input(sensorTopic)).apply(toTemperatures).print();

await app.run({ signal: ctrlC });

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
