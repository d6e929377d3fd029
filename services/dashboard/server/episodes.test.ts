import fc from "fast-check";
import { expect, test } from "vitest";
import { Episodes, NO_READINGS, QUIET_MS } from "./episodes.ts";

const limits = { maxEnded: 100, maxActive: 100 };
const at = (eventMs: number) => ({ partition: 0, offset: eventMs, eventMs });
const yes = () => true;

test("alerts close to each other are one episode, with its peak and how many there were", () => {
  const episodes = new Episodes(limits);
  for (const [eventMs, celsius] of [
    [1_000, 36],
    [2_000, 41.2],
    [5_000, 33],
  ] as const) {
    episodes.alert({ device: "a", eventMs, celsius }, NO_READINGS);
  }
  expect(episodes.all()).toEqual([
    {
      id: "1",
      device: "a",
      sinceMs: 1_000,
      lastMs: 5_000,
      readings: 3,
      peakCelsius: 41.2,
      lastCelsius: 33,
      endedMs: null,
    },
  ]);
});

test("an episode ends with a judged reading 5 s after its last alert, and not before it is judged", () => {
  const episodes = new Episodes(limits);
  episodes.alert({ device: "a", eventMs: 1_000, celsius: 36 }, NO_READINGS);
  for (const eventMs of [2_000, 5_999]) episodes.reading("a", at(eventMs), eventMs);
  episodes.settle(yes);
  expect(episodes.active("a")).toBeDefined();
  episodes.reading("a", at(6_000), 6_000);
  episodes.reading("a", at(7_000), 7_000);
  episodes.settle(({ offset }) => offset < 6_000);
  expect(episodes.active("a")).toBeDefined();
  episodes.settle(({ offset }) => offset <= 6_000);
  expect(episodes.active("a")).toBeUndefined();
  expect(episodes.all()[0]?.endedMs).toBe(6_000);
});

test("no false all-clear: neither silence nor a pipeline that stands still ends an episode", () => {
  const episodes = new Episodes(limits);
  episodes.alert({ device: "silent", eventMs: 1_000, celsius: 36 }, NO_READINGS);
  episodes.alert({ device: "unjudged", eventMs: 1_000, celsius: 36 }, NO_READINGS);
  for (let eventMs = 2_000; eventMs < 600_000; eventMs += 1_000)
    episodes.reading("unjudged", at(eventMs), eventMs);
  episodes.settle(({ offset }) => offset < 3_000);
  expect(episodes.activeCount).toBe(2);
});

test("an alert that comes late for a reading taken as evidence keeps the episode going", () => {
  const episodes = new Episodes(limits);
  episodes.alert({ device: "a", eventMs: 1_000, celsius: 36 }, NO_READINGS);
  episodes.reading("a", at(6_000), 6_000);
  episodes.alert({ device: "a", eventMs: 6_000, celsius: 37 }, { ...NO_READINGS, last: at(6_000) });
  episodes.settle(yes);
  expect(episodes.active("a")?.readings).toBe(2);
});

test("a reading that came before the alert it proves over is found among the device's readings", () => {
  const episodes = new Episodes(limits);
  episodes.alert({ device: "a", eventMs: 1_000, celsius: 36 }, { ...NO_READINGS, last: at(9_000) });
  episodes.settle(yes);
  expect(episodes.all()[0]?.endedMs).toBe(9_000);
});

test("only the changed ones are told, each as it is at that moment", () => {
  const episodes = new Episodes(limits);
  episodes.alert({ device: "a", eventMs: 1_000, celsius: 36 }, NO_READINGS);
  episodes.alert({ device: "b", eventMs: 1_000, celsius: 36 }, NO_READINGS);
  const first = episodes.takeChanges();
  expect(first.map(({ device }) => device)).toEqual(["a", "b"]);
  episodes.alert({ device: "b", eventMs: 2_000, celsius: 40 }, NO_READINGS);
  expect(first[1]?.peakCelsius).toBe(36);
  expect(episodes.takeChanges()).toMatchObject([{ device: "b", peakCelsius: 40 }]);
  expect(episodes.hasChanges()).toBe(false);
});

test("ended and active ones are bounded", () => {
  const episodes = new Episodes({ maxEnded: 2, maxActive: 3 });
  for (let i = 0; i < 10; i++) {
    episodes.alert(
      { device: `ended-${i}`, eventMs: 1_000, celsius: 36 },
      { ...NO_READINGS, last: at(9_000) },
    );
    episodes.settle(yes);
  }
  for (let i = 0; i < 10; i++)
    episodes.alert({ device: `active-${i}`, eventMs: 1_000, celsius: 36 }, NO_READINGS);
  expect(episodes.all()).toHaveLength(5);
});

/** What the episodes of a finished list of readings are, by their definition. */
function referenceEpisodes(readings: readonly { eventMs: number; isHot: boolean }[]) {
  const made: { sinceMs: number; lastMs: number; readings: number; endedMs: number | null }[] = [];
  for (const { eventMs, isHot } of readings) {
    const open = made.at(-1);
    const isOpen = open !== undefined && open.endedMs === null;
    if (isHot && isOpen) {
      open.lastMs = eventMs;
      open.readings += 1;
    } else if (isHot) made.push({ sinceMs: eventMs, lastMs: eventMs, readings: 1, endedMs: null });
    else if (isOpen && eventMs >= open.lastMs + QUIET_MS) open.endedMs = eventMs;
  }
  return made;
}

test("however late the alerts come, and however often, the episodes are those of the readings", () => {
  const reading = fc.record({ stepMs: fc.integer({ min: 100, max: 7_000 }), isHot: fc.boolean() });
  const plan = fc.array(fc.tuple(reading, fc.nat(4), fc.boolean(), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(plan, (steps) => {
      const episodes = new Episodes(limits);
      const readings: { eventMs: number; isHot: boolean }[] = [];
      const waiting: number[] = [];
      let judged = -1;
      const tellAlert = (eventMs: number) => {
        const times = readings.map((one) => one.eventMs);
        const last = times.at(-1);
        episodes.alert(
          { device: "a", eventMs, celsius: 40 },
          {
            earliestBetween: (from, to) => times.find((time) => time >= from && time < to),
            last: last === undefined ? undefined : at(last),
          },
        );
      };
      const pass = (howMany: number, isRepeated: boolean) => {
        for (const eventMs of waiting.splice(0, howMany)) {
          if (readings.find((one) => one.eventMs === eventMs)?.isHot) {
            tellAlert(eventMs);
            if (isRepeated) tellAlert(eventMs);
          }
          judged = eventMs;
        }
      };
      let nowMs = 0;
      for (const [{ stepMs, isHot }, howMany, isRepeated, isSettled] of steps) {
        nowMs += stepMs;
        readings.push({ eventMs: nowMs, isHot });
        waiting.push(nowMs);
        episodes.reading("a", at(nowMs), nowMs);
        pass(howMany, isRepeated);
        if (isSettled) episodes.settle(({ offset }) => offset <= judged);
      }
      pass(waiting.length, false);
      episodes.settle(yes);
      const told = episodes
        .all()
        .sort((a, b) => a.sinceMs - b.sinceMs)
        .map(({ sinceMs, lastMs, readings: hot, endedMs }) => ({ sinceMs, lastMs, readings: hot, endedMs }));
      expect(told).toEqual(referenceEpisodes(readings));
    }),
    { numRuns: 1_000 },
  );
});

const YEAR_9999 = Date.UTC(9999, 11, 31);

test("an alert from a clock far ahead ends like any other, once the device speaks by a right clock again", () => {
  const episodes = new Episodes(limits);
  episodes.alert({ device: "a", eventMs: YEAR_9999, celsius: 36 }, NO_READINGS);
  episodes.reading("a", at(10_000), 10_000);
  expect(episodes.active("a")).toMatchObject({ sinceMs: 10_000, lastMs: 10_000, endedMs: null });
  episodes.alert({ device: "a", eventMs: 11_000, celsius: 40 }, NO_READINGS);
  expect(episodes.active("a")).toMatchObject({ lastMs: 11_000, readings: 2, peakCelsius: 40 });
  episodes.reading("a", at(16_000), 16_000);
  episodes.settle(yes);
  expect(episodes.all()).toMatchObject([{ endedMs: 16_000 }]);
});

test("an episode that was in the far future hides no later alert", () => {
  const episodes = new Episodes(limits);
  episodes.alert({ device: "a", eventMs: YEAR_9999, celsius: 36 }, NO_READINGS);
  episodes.reading("a", at(YEAR_9999 + 6_000), 10_000);
  episodes.settle(yes);
  expect(episodes.active("a")).toBeUndefined();
  episodes.alert({ device: "a", eventMs: 11_000, celsius: 40 }, NO_READINGS);
  expect(episodes.active("a")).toMatchObject({ sinceMs: 11_000, readings: 1 });
  episodes.alert({ device: "a", eventMs: YEAR_9999, celsius: 36 }, NO_READINGS);
  expect(episodes.all()).toHaveLength(2);
});
