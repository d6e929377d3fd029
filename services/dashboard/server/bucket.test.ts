import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenBucket } from "./bucket.ts";

test("a burst at once, then as many a second as allowed, whatever the rhythm of asking", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 });
  fc.assert(
    fc.property(gaps, (steps) => {
      const bucket = new TokenBucket({ burst: 10, perSecond: 5 }, 0);
      let nowMs = 0;
      let taken = 0;
      for (const step of steps) {
        nowMs += step;
        if (bucket.take(nowMs)) taken++;
      }
      expect(taken).toBeLessThanOrEqual(10 + (5 * nowMs) / 1_000);
    }),
  );
});

test("who keeps within the limit is never refused, and who was refused is let in again soon", () => {
  const bucket = new TokenBucket({ burst: 10, perSecond: 5 }, 0);
  for (let nowMs = 200; nowMs < 60_000; nowMs += 200) expect(bucket.take(nowMs)).toBe(true);
  for (let i = 0; i < 1_000; i++) bucket.take(60_000);
  expect(bucket.take(60_000)).toBe(false);
  expect(bucket.take(60_500)).toBe(true);
});
