import { expect, test } from "vitest";
import { toTemperatures } from "./temperatures.ts";

test.each([
  [-273.15, -459.67, 0],
  [-40, -40, 233.15],
  [0, 32, 273.15],
  [29.85, 85.73, 303],
  [36.9, 98.42, 310.05],
  [100, 212, 373.15],
])("%d °C is %d °F and %d K", (celsius, fahrenheit, kelvin) => {
  const reading = { timestamp: "2026-01-02T03:04:05.678901", device_id: "machine-01", temperature: celsius };
  expect(toTemperatures(reading)).toEqual({
    celsius,
    fahrenheit,
    kelvin,
    device_id: "machine-01",
    timestamp: "2026-01-02T03:04:05.678901",
  });
});
