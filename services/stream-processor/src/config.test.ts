import { expect, test } from "vitest";
import { Settings } from "./config.ts";

test("by default: all pipelines on the tutorial's topics, above 303 K", () => {
  expect(Settings.parse({})).toMatchObject({
    PIPELINES: ["alert", "alert-count", "average-temperature"],
    ALERT_ABOVE_KELVIN: 303,
    SENSOR_TOPIC: "sensor",
    ALERT_TOPIC: "alert",
    KPI_TOPIC: "kpi",
  });
});

test.each([
  { IDLE_AFTER_SECONDS: "1e300" },
  { ALLOWED_LATENESS_SECONDS: "1e300" },
  { MAX_FUTURE_SECONDS: "604801" },
  { ALERT_ABOVE_KELVIN: "1e300" },
  { GROUP_PREFIX: "x".repeat(201) },
  { ALERT_TOPIC: "sensor" },
  { KPI_TOPIC: "alert" },
  { SENSOR_TOPIC: "not a name" },
  { PIPELINES: "alerts" },
])("%o is refused", (environment) => {
  expect(Settings.safeParse(environment).success).toBe(false);
});
