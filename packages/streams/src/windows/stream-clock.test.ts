import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StreamClock } from "./stream-clock.ts";

const options = { idleAfterMs: 2_000, maxFutureMs: 60_000 };

describe("the clock of a partition", () => {
  test("is raised by records, and never goes back", () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ atMs: fc.nat(200_000) }),
        fc.record({ elapsedMs: fc.nat(5_000), isCaughtUp: fc.boolean() }),
      ),
    );
    fc.assert(
      fc.property(steps, (script) => {
        const clock = new StreamClock(options);
        let before = Number.NEGATIVE_INFINITY;
        for (const step of script) {
          if ("atMs" in step) clock.record(step.atMs, 100_000);
          else clock.elapse(step.elapsedMs, step.isCaughtUp);
          const now = clock.valueMs ?? Number.NEGATIVE_INFINITY;
          expect(now).toBeGreaterThanOrEqual(before);
          before = now;
        }
      }),
    );
  });

  test("does not follow a record that is too far ahead of the wall clock", () => {
    const clock = new StreamClock(options);
    expect(clock.record(1_000, 1_000)).toBe(true);
    expect(clock.record(61_001, 1_000)).toBe(false);
    expect(clock.valueMs).toBe(1_000);
    expect(clock.record(61_000, 1_000)).toBe(true);
    expect(clock.valueMs).toBe(61_000);
  });

  test("advances by itself after idleAfter, by the time since it was last raised", () => {
    const clock = new StreamClock(options);
    clock.record(10_000, 10_000);
    clock.elapse(1_500, true);
    expect(clock.valueMs).toBe(10_000);
    clock.elapse(500, true);
    expect(clock.valueMs).toBe(12_000);
    clock.elapse(3_000, true);
    expect(clock.valueMs).toBe(15_000);
  });

  test("a record that does not raise it makes it wait again, but the time since it was raised counts", () => {
    const clock = new StreamClock(options);
    clock.record(10_000, 10_000);
    clock.elapse(1_500, true);
    clock.record(9_000, 11_500);
    clock.elapse(1_500, true);
    expect(clock.valueMs).toBe(10_000);
    clock.elapse(500, true);
    expect(clock.valueMs).toBe(13_500);
  });

  test("stands still while there is something to read, and counts from when all was read", () => {
    const clock = new StreamClock(options);
    clock.record(10_000, 10_000);
    clock.elapse(60_000, false);
    expect(clock.valueMs).toBe(10_000);
    clock.elapse(1_999, true);
    expect(clock.valueMs).toBe(10_000);
    clock.elapse(1, true);
    expect(clock.valueMs).toBe(12_000);
    clock.elapse(60_000, false);
    clock.elapse(1_000, true);
    expect(clock.valueMs).toBe(12_000);
  });

  test("does not begin without a record", () => {
    const clock = new StreamClock(options);
    clock.elapse(60_000, true);
    expect(clock.valueMs).toBeUndefined();
  });
});
