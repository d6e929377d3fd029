import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { machineOf, replayOf, Settings } from "./config.ts";

describe("the producer's settings", () => {
  test("are the tutorial's machine by default: one reading a second of 22 ± 15 °C, a wave in 20 s, 5 % outliers", () => {
    const settings = Settings.parse({});
    expect(machineOf(settings)).toEqual({
      base: 22,
      amplitude: 15,
      frequency: 0.05,
      phase: 0,
      noise: 2,
      outlierProbability: 0.05,
      seed: 1,
    });
    expect([settings.DEVICES, settings.INTERVAL_MS, settings.SENSOR_TOPIC]).toEqual([1, 1000, "sensor"]);
    expect(replayOf(settings)).toBeUndefined();
  });

  test("replay the shipped series 300 times faster, in fahrenheit, and any other file in celsius", () => {
    expect(replayOf(Settings.parse({ REPLAY: "shipped" }))).toMatchObject({
      file: expect.stringMatching(/machine_temperature_system_failure\.csv$/),
      unit: "fahrenheit",
      speed: 300,
      device: "machine-01",
      atEnd: "loop",
    });
    const own = fileURLToPath(import.meta.url);
    expect(replayOf(Settings.parse({ REPLAY: own }))).toMatchObject({
      file: own,
      unit: "celsius",
    });
    expect(replayOf(Settings.parse({ REPLAY: own, REPLAY_UNIT: "kelvin" }))).toMatchObject({
      unit: "kelvin",
    });
  });

  test.each([
    { DEVICES: "0" },
    { INTERVAL_MS: "1" },
    { OUTLIER_PROBABILITY: "1.1" },
    { REPLAY_UNIT: "rankine" },
    { REPLAY_AT_END: "begin" },
    { SEED: "-1" },
    { REPLAY: "/none/here.csv" },
    { REPLAY: "/" },
  ])("refuse %o", (environment) => {
    expect(Settings.safeParse(environment).success).toBe(false);
  });
});
