/** A reading in the three units of the tutorial. */
import { type Alert, round2, type SensorReading } from "@kelvin/schema";

/** °C to °C, °F and K, 2 decimals each. The reading's timestamp is passed on unchanged. */
export function toTemperatures(reading: SensorReading): Alert {
  return {
    celsius: round2(reading.temperature),
    fahrenheit: round2((reading.temperature * 9) / 5 + 32),
    kelvin: round2(reading.temperature + 273.15),
    device_id: reading.device_id,
    timestamp: reading.timestamp,
  };
}
