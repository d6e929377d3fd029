import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("a gauge that is forgotten with some labels is told with the others", async () => {
  const metrics = createMetrics("tested");
  for (const partition of [0, 1]) metrics.gauge("kelvin_lag", "Lag.", 7, { topic: "t", partition });
  metrics.forget("kelvin_lag", { topic: "t", partition: 0 });
  metrics.forget("kelvin_never_told", { topic: "t" });
  const told = (await metrics.text()).split("\n").filter((line) => line.startsWith("kelvin_"));
  expect(told).toEqual(['kelvin_lag{topic="t",partition="1",service="tested"} 7']);
});
