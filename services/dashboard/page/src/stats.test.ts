import fc from "fast-check";
import { expect, test } from "vitest";
import { statsOf } from "./stats.ts";

const reading = fc.record({
  timeMs: fc.integer({ min: 0, max: 100 }),
  celsius: fc.integer({ min: -50, max: 150 }),
});

test("one pass comes to what several would", () => {
  fc.assert(
    fc.property(fc.array(reading), fc.integer({ min: 0, max: 60 }), (readings, fromMs) => {
      const toMs = fromMs + 30;
      const columns = {
        timesMs: Float64Array.from(readings, ({ timeMs }) => timeMs),
        celsius: Float64Array.from(readings, ({ celsius }) => celsius),
      };
      const within = readings.filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs);
      const values = within.map(({ celsius }) => celsius);
      expect(statsOf(columns, fromMs, toMs, 29.85)).toEqual({
        count: values.length,
        above: values.filter((celsius) => celsius > 29.85).length,
        low: Math.min(...values),
        high: Math.max(...values),
      });
      expect(statsOf(columns, fromMs, toMs).above).toBe(0);
    }),
  );
});
