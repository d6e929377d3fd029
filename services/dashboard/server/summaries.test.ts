import { expect, test } from "vitest";
import { ManualClock } from "./fixtures/manual-clock.ts";
import { LiveState } from "./state.ts";
import { Summaries, WAVES } from "./summaries.ts";

const LIMITS = { maxAgeMs: 100_000, maxDevices: 10, maxReadings: 100, maxReadingsInAll: 1_000 };

function summariesAt(clock: ManualClock) {
  const told: { wave: number; atMs: number }[] = [];
  const beganMs = clock.now();
  const tell = (wave: number) => told.push({ wave, atMs: clock.now() - beganMs });
  return { told, summaries: new Summaries(new LiveState(clock, LIMITS), clock, tell) };
}

test("each wave has its turn once a second, a tenth after the one before", () => {
  const clock = new ManualClock();
  const { told, summaries } = summariesAt(clock);
  clock.advance(2_000);
  expect(told).toEqual(
    Array.from({ length: 2 * WAVES }, (_, i) => ({ wave: i % WAVES, atMs: 100 * (i + 1) })),
  );
  summaries.close();
  clock.advance(1_000);
  expect(told).toHaveLength(2 * WAVES);
});

test("few pages share a wave, many fill all of them alike", () => {
  const { summaries } = summariesAt(new ManualClock());
  const waves = Array.from({ length: 1_000 }, () => summaries.nextWave());
  expect(new Set(waves.slice(0, 50))).toEqual(new Set([0]));
  const pages = Array.from({ length: WAVES }, (_, wave) => waves.filter((one) => one === wave).length);
  expect(pages).toEqual(Array.from({ length: WAVES }, () => 100));
});

test("who asks soon after another is given the same summary", () => {
  const clock = new ManualClock();
  const state = new LiveState(clock, LIMITS);
  const summaries = new Summaries(state, clock, () => {});
  const reading = {
    device_id: "machine-01",
    temperature: 20,
    timestamp: new Date(clock.now()).toISOString(),
  };
  state.reading(reading, { partition: 0, offset: 0, eventMs: clock.now() });
  const first = summaries.newest();
  clock.advance(200);
  expect(summaries.newest()).toBe(first);
  clock.advance(1);
  expect(summaries.newest()).not.toBe(first);
});

test("a stall of the server does not count, and its waves are not made up for", () => {
  const clock = new StallingClock();
  const { told, summaries } = summariesAt(clock);
  clock.advance(1_000);
  const beforeMs = summaries.listenedMs();
  clock.stall(5_000);
  expect(summaries.listenedMs() - beforeMs).toBe(100);
  expect(told).toHaveLength(WAVES + 1);
  clock.advance(1_000);
  expect(told).toHaveLength(2 * WAVES + 1);
  expect(summaries.listenedMs() - beforeMs).toBe(1_100);
});

/** Of a process that can stand still: what falls due meanwhile runs after it. */
class StallingClock extends ManualClock {
  #stalledMs = 0;

  override now(): number {
    return super.now() + this.#stalledMs;
  }

  override monotonic(): number {
    return this.now();
  }

  /** Timers that fall due in the last 100 ms of the stall are late by all of the rest. */
  stall(forMs: number): void {
    this.#stalledMs += forMs - 100;
    this.advance(100);
  }
}
