import { expect, test } from "vitest";
import { limitsOf, Settings, spansMs } from "./config.ts";

const settings = (env: Record<string, string>) => Settings.parse(env);

test.each([
  ["2", [100, 120]],
  ["5", [100, 300]],
  ["15", [100, 300, 900]],
  ["60", [100, 300, 900, 3_600]],
])(
  "HISTORY_MINUTES=%s offers charts of %j s, and the readings of the longest are kept",
  (minutes, seconds) => {
    const asked = settings({ HISTORY_MINUTES: minutes });
    expect(spansMs(asked)).toEqual(seconds.map((length) => 1_000 * length));
    expect(limitsOf(asked).maxAgeMs).toBeGreaterThanOrEqual(1_000 * Math.max(...seconds));
  },
);

test("a quarter of an hour is kept unless told otherwise; less than a chart of 100 s needs is refused", () => {
  expect(spansMs(settings({})).at(-1)).toBe(900_000);
  for (const minutes of ["1", "241", "1.5", "x"])
    expect(Settings.safeParse({ HISTORY_MINUTES: minutes }).success).toBe(false);
});
