import { eventTimes } from "@kelvin/schema/live";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ReadingBudget, ReadingRing } from "./rings.ts";

const push = fc.record({
  waitMs: fc.nat({ max: 400 }),
  skewMs: fc.integer({ min: -3_000, max: 3_000 }),
  celsius: fc.double({ min: -50, max: 80, noNaN: true }),
});

test("a ring holds the newest readings, as many as age and number allow, whatever the clocks of the devices", () => {
  fc.assert(
    fc.property(
      fc.array(push, { maxLength: 400 }),
      fc.integer({ min: 64, max: 150 }),
      fc.nat(9_999),
      (pushes, maxReadings, start) => {
        const maxAgeMs = 20_000;
        const ring = new ReadingRing({ maxAgeMs, maxReadings }, new ReadingBudget(1e6), start);
        const all: { eventMs: number; celsius: number; heardMs: number }[] = [];
        let nowMs = 1_000_000;
        for (const { waitMs, skewMs, celsius } of pushes) {
          nowMs += waitMs;
          all.push({ eventMs: nowMs + skewMs, celsius, heardMs: nowMs });
          ring.push(nowMs + skewMs, celsius, nowMs);
        }
        const young = all.filter(({ heardMs }) => heardMs >= nowMs - maxAgeMs);
        const kept = young.slice(-maxReadings);
        const readings = ring.from(0);
        expect(eventTimes(readings)).toEqual(kept.map(({ eventMs }) => eventMs));
        expect(readings.celsius).toEqual(kept.map(({ celsius }) => celsius));
        expect(ring.next).toBe(start + all.length);
        expect(ring.first).toBe(ring.next - kept.length);
        expect(ring.isTruncated(nowMs)).toBe(kept.length < young.length);
      },
    ),
    { numRuns: 300 },
  );
});

test("the first reading since an instant is the first that came in then or later", () => {
  const ring = new ReadingRing({ maxAgeMs: 1_000, maxReadings: 64 }, new ReadingBudget(1e6), 5);
  for (let i = 0; i < 100; i++) ring.push(7, i, 10 * Math.floor(i / 2));
  expect([ring.first, ring.next]).toEqual([41, 105]);
  expect(ring.from(ring.firstSince(400)).celsius[0]).toBe(80);
  expect(ring.from(ring.firstSince(401)).celsius[0]).toBe(82);
  expect([ring.firstSince(0), ring.firstSince(491)]).toEqual([ring.first, ring.next]);
  // The newest that had to make way came in at 170.
  expect([ring.isTruncated(490), ring.isTruncated(490, 320), ring.isTruncated(490, 319)]).toEqual([
    true,
    true,
    false,
  ]);
});

test("what comes from a position on is the tail of what comes from the first", () => {
  const ring = new ReadingRing({ maxAgeMs: 1e9, maxReadings: 100 }, new ReadingBudget(1e6));
  for (let i = 0; i < 230; i++) ring.push(1_000 * i - (i % 7) * 500, i, i);
  const times = eventTimes(ring.from(0));
  for (const from of [ring.first, ring.first + 1, ring.next - 1]) {
    expect(eventTimes(ring.from(from))).toEqual(times.slice(from - ring.first));
  }
  expect(ring.from(ring.next)).toEqual({ t0: 0, dt: [], celsius: [] });
});

test("rings grow only as far as the budget goes, and give it back", () => {
  const budget = new ReadingBudget(64);
  const limits = { maxAgeMs: 1e9, maxReadings: 1_000 };
  const fill = (ring: ReadingRing) => {
    for (let i = 0; i < 500; i++) ring.push(i, i, i);
    return ring.next - ring.first;
  };
  const first = new ReadingRing(limits, budget);
  expect(fill(first)).toBe(128);
  expect(fill(new ReadingRing(limits, budget))).toBe(64);
  first.release();
  expect(fill(new ReadingRing(limits, budget))).toBe(128);
});

test("the usual interval is the middle of the last steps: one long gap or a repeated time changes nothing", () => {
  const ring = new ReadingRing({ maxAgeMs: 1e9, maxReadings: 100 }, new ReadingBudget(1e6));
  expect(ring.usualInterval(9)).toBeUndefined();
  for (const eventMs of [0, 1_000, 2_000, 60_000, 60_000, 61_000, 62_000]) ring.push(eventMs, 20, eventMs);
  expect(ring.usualInterval(9)).toBe(1_000);
});

test("the earliest reading of a span, its end excluded", () => {
  const ring = new ReadingRing({ maxAgeMs: 1e9, maxReadings: 100 }, new ReadingBudget(1e6));
  for (const eventMs of [10, 40, 20, 30]) ring.push(eventMs, 20, 0);
  expect(ring.earliestBetween(15, 40)).toBe(20);
  expect(ring.earliestBetween(31, 40)).toBeUndefined();
  expect(ring.earliestBetween(31, 41)).toBe(40);
});
