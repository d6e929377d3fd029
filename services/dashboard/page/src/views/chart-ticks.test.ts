import { expect, test } from "vitest";
import type { Moment } from "../moment.ts";
import { timeLabel, timeTicks } from "./chart-ticks.ts";

const NOW = 1_800_000_000_000;

function labels(seconds: number, widthInEm: number): string[] {
  const moment: Pick<Moment, "endMs" | "windowMs" | "frozen"> = {
    endMs: NOW,
    windowMs: 1_000 * seconds,
    frozen: undefined,
  };
  return timeTicks(moment, widthInEm).map(({ value }) => timeLabel(value, moment));
}

test.each([
  [100, 42, ["−100 s", "−80 s", "−60 s", "−40 s", "−20 s", "now"]],
  [100, 18, ["−100 s", "−50 s", "now"]],
  [300, 42, ["−5 min", "−4 min", "−3 min", "−2 min", "−1 min", "now"]],
  [300, 18, ["−5 min", "−2.5 min", "now"]],
  [900, 42, ["−15 min", "−12 min", "−9 min", "−6 min", "−3 min", "now"]],
  [900, 18, ["−15 min", "−7.5 min", "now"]],
  [3_600, 42, ["−60 min", "−45 min", "−30 min", "−15 min", "now"]],
  [420, 42, ["−7 min", "now"]],
  [900, 1, ["−15 min", "now"]],
])("a chart of %d s that is %d letters wide", (seconds, width, wanted) => {
  expect(labels(seconds, width)).toEqual(wanted);
});
