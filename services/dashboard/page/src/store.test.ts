import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { batch, episode, fleet, NOW, snapshot, welcome } from "./fixtures.ts";
import { momentOf } from "./moment.ts";
import { Store } from "./store.ts";

let store: Store;
beforeEach(() => {
  store = new Store(undefined, NOW);
  store.opened();
  store.welcomed(welcome());
});

function held(): number[] {
  return [...(store.watched?.series.since(0).celsius ?? [])];
}

test("a snapshot starts over, a batch continues", () => {
  store.snapshot(snapshot());
  expect(store.batch(batch(), NOW)).toBe(true);
  expect(held()).toEqual([20, 21, 22, 23.5]);
  store.snapshot(snapshot());
  expect(held()).toEqual([20, 21, 22]);
});

test("whatever overlaps the server sends, each reading is held once, in order", () => {
  const cuts = fc.array(fc.tuple(fc.nat(30), fc.nat(12)), { maxLength: 40 });
  fc.assert(
    fc.property(cuts, (all) => {
      store.snapshot(snapshot({ next: 0, readings: { t0: 0, dt: [], celsius: [] }, last: null }));
      let next = 0;
      for (const [back, length] of all) {
        const first = Math.max(0, next - back);
        const celsius = Array.from({ length }, (_, i) => first + i);
        const dt = celsius.map((_, i) => (i === 0 ? 0 : 1));
        expect(store.batch(batch({ first, readings: { t0: NOW + first, dt, celsius } }), NOW)).toBe(true);
        next = Math.max(next, first + length);
      }
      expect(held()).toEqual(Array.from({ length: next }, (_, i) => i));
      expect(store.wanted).toEqual({ device: "machine-01", have: { boot: "boot-1", next }, spanMs: null });
    }),
  );
});

test("a gap, or another boot, is told and nothing is taken in", () => {
  store.snapshot(snapshot());
  expect(store.batch(batch({ first: 5 }), NOW)).toBe(false);
  expect(store.batch(batch({ boot: "boot-2" }), NOW)).toBe(false);
  expect(held()).toEqual([20, 21, 22]);
  expect(store.wanted).toEqual({ device: "machine-01", have: { boot: "boot-1", next: 3 }, spanMs: null });
});

test("messages about a device that is not shown are ignored", () => {
  store.snapshot(snapshot());
  expect(store.batch(batch({ device: "machine-02", first: 99 }), NOW)).toBe(true);
  expect(held()).toEqual([20, 21, 22]);
});

test("the viewer's device is asked for, and a late snapshot of the previous one is ignored", () => {
  store.snapshot(snapshot());
  store.pick("machine-02");
  expect(store.wanted).toEqual({ device: "machine-02", have: null, spanMs: null });
  store.snapshot(snapshot());
  expect(store.wanted).toEqual({ device: "machine-02", have: null, spanMs: null });
  store.snapshot(snapshot({ device: "machine-02" }));
  expect(store.watched?.device).toBe("machine-02");
});

test("a longer chart asks for all of the device that is shown, a shorter one for nothing", () => {
  store.snapshot(snapshot());
  const kept = { boot: "boot-1", next: 3 };
  store.stretch(900_000);
  expect([store.windowMs, store.isShort]).toEqual([900_000, true]);
  expect(store.wanted).toEqual({ device: "machine-01", have: null, spanMs: 900_000 });
  // One for the whole room, which has crossed the question.
  store.snapshot(snapshot());
  expect(store.isShort).toBe(true);
  store.snapshot(snapshot({ spanMs: 900_000 }));
  expect(store.wanted).toEqual({ device: "machine-01", have: kept, spanMs: 900_000 });
  store.stretch(undefined);
  expect([store.windowMs, store.isShort]).toEqual([100_000, false]);
  expect(store.wanted).toEqual({ device: "machine-01", have: kept, spanMs: null });
});

test("readings that were too many are missing from the charts that would show them, not from a shorter one", () => {
  const seconds = Array.from({ length: 400 }, (_, i) => i);
  const readings = {
    t0: NOW - 399_000,
    dt: seconds.map((i) => (i === 0 ? 0 : 1_000)),
    celsius: seconds,
  };
  const isTruncated = (nowMs: number) => momentOf(store, nowMs)?.truncated;
  store.stretch(900_000);
  store.snapshot(snapshot({ spanMs: 900_000, truncated: true, readings }));
  expect(isTruncated(NOW)).toBe(true);
  store.stretch(300_000);
  expect(isTruncated(NOW)).toBe(false);
  store.stretch(900_000);
  // By then the missing ones have left the chart, too.
  expect([isTruncated(NOW + 500_000), isTruncated(NOW + 502_000)]).toEqual([true, false]);
});

test.each([
  [1_000, 100_000],
  [100_001, 300_000],
  [900_000, 900_000],
  [5e9, 900_000],
])(
  "a chart of %d ms is one of %d: the shortest there is that is as long, else the longest",
  (asked, shown) => {
    store.stretch(asked);
    expect(store.windowMs).toBe(shown);
  },
);

test("KPIs that did not change stay, those that did are replaced", () => {
  store.snapshot(snapshot());
  store.batch(batch(), NOW);
  expect(store.watched?.kpis).toEqual(snapshot().kpis);
  store.batch(batch({ first: 4, kpis: [] }), NOW);
  expect(store.watched?.kpis).toEqual([]);
});

test("the lag is the median: one late packet does not make it flicker", () => {
  store.snapshot(snapshot());
  expect(store.lagMs).toBeUndefined();
  for (const [i, lagMs] of [40, 38, 5_000, 41].entries()) {
    store.batch(batch({ first: 3 + i }), NOW + 1_000 + lagMs);
  }
  expect(store.lagMs).toBe(41);
});

test("attempts are counted from the loss on, and the instant of the loss stays", () => {
  store.lost(NOW + 5);
  store.retrying();
  store.lost(NOW + 100);
  store.retrying();
  expect(store.link).toEqual({ state: "connecting", attempt: 2, sinceMs: NOW + 5, refusal: undefined });
  store.opened();
  expect(store.link).toEqual({ state: "open" });
});

test("episodes: whole replaces, changes go by id, and old ended ones are forgotten", () => {
  store.alerted({ nowMs: NOW, whole: true, episodes: [episode({ id: "a" }), episode({ id: "b" })] });
  store.alerted({ nowMs: NOW, whole: false, episodes: [episode({ id: "a", readings: 8 })] });
  expect([...store.episodes.values()].map(({ readings }) => readings)).toEqual([8, 7]);
  const many = Array.from({ length: 300 }, (_, i) =>
    episode({ id: `old-${i}`, lastMs: NOW - i, endedMs: NOW }),
  );
  store.alerted({ nowMs: NOW, whole: false, episodes: many });
  expect(store.episodes.size).toBe(202);
  expect(store.episodes.has("old-199")).toBe(true);
  expect(store.episodes.has("old-200")).toBe(false);
  store.alerted({ nowMs: NOW, whole: true, episodes: [] });
  expect(store.episodes.size).toBe(0);
});

test("the fleet's columns become devices", () => {
  store.heardOf(fleet({ flags: [5], eventAgeMs: [-9_000] }));
  expect(store.devices).toEqual([
    expect.objectContaining({
      id: "machine-01",
      inAlarm: true,
      stale: false,
      ahead: true,
      eventMs: NOW + 9_000,
    }),
  ]);
});
