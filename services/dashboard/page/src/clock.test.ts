import fc from "fast-check";
import { expect, test } from "vitest";
import { ServerClock } from "./clock.ts";

test("the clock is behind the server's by the quickest message's way, at most", () => {
  const delays = fc.array(fc.integer({ min: 0, max: 800 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(delays, fc.integer({ min: -1e9, max: 1e9 }), (delaysMs, offsetMs) => {
      let ownMs = 1e12;
      const clock = new ServerClock(() => ownMs);
      for (const delayMs of delaysMs) {
        ownMs += 100;
        clock.sample(ownMs + offsetMs - delayMs);
      }
      const errorMs = ownMs + offsetMs - clock.nowMs();
      // A sample fades by 0.01 ms in the 100 ms between two messages.
      expect(errorMs).toBeGreaterThan(-1e-6 + Math.min(...delaysMs));
      expect(errorMs).toBeLessThan(Math.min(...delaysMs) + 1);
    }),
  );
});

test("before the first message it is the page's own clock, and again after a reset", () => {
  const clock = new ServerClock(() => 1_000);
  expect(clock.nowMs()).toBe(1_000);
  clock.sample(5_000);
  expect(clock.nowMs()).toBe(5_000);
  clock.reset();
  expect(clock.nowMs()).toBe(1_000);
});

test("a server clock that was set back is followed in the end", () => {
  let ownMs = 0;
  const clock = new ServerClock(() => ownMs);
  clock.sample(60);
  for (ownMs = 1_000; ownMs <= 1_000_000; ownMs += 1_000) clock.sample(ownMs);
  expect(Math.abs(clock.nowMs() - ownMs)).toBeLessThan(1);
});
