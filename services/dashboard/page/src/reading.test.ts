import type { KpiTile } from "@kelvin/schema/live";
import { beforeEach, expect, test } from "vitest";
import { batch, episode, fleet, health, NOW, snapshot, welcome } from "./fixtures.ts";
import { clock } from "./format.ts";
import { isHigh, limitCelsius } from "./limit.ts";
import { momentOf } from "./moment.ts";
import { kpiPicture, ratePicture, readingPicture, rejectedPicture } from "./reading.ts";
import { Store } from "./store.ts";

let store: Store;
beforeEach(() => {
  store = new Store(undefined, NOW);
  store.opened();
  store.welcomed(welcome());
  store.checked(health());
  store.heardOf(fleet());
  store.snapshot(snapshot());
});

const picture = (nowMs = NOW) => readingPicture(store, momentOf(store, nowMs), "celsius");
const count = () => kpiPicture(welcome().kpis[0], momentOf(store, NOW), store.health, "celsius");
const average = () => kpiPicture(welcome().kpis[1], momentOf(store, NOW), store.health, "celsius");

test("value with 2 decimals, change against the reading before", () => {
  expect(picture()).toMatchObject({ device: "machine-01", value: "22.00", unit: "°C", change: "▲ +1.00 °C" });
});

test("the first reading has no change", () => {
  store.snapshot(snapshot({ last: { celsius: 22, change: null, eventMs: NOW, heardMs: NOW } }));
  expect(picture().change).toBe("");
});

test("every unit shows the same reading", () => {
  const moment = momentOf(store, NOW);
  expect(readingPicture(store, moment, "fahrenheit")).toMatchObject({ value: "71.60", change: "▲ +1.80 °F" });
  expect(readingPicture(store, moment, "kelvin")).toMatchObject({ value: "295.15", change: "▲ +1.00 K" });
});

test("high is above the limit, not at it", () => {
  expect(limitCelsius(303)).toBe(29.85);
  expect(isHigh(29.85, 303)).toBe(false);
  expect(isHigh(29.86, 303)).toBe(true);
  expect(isHigh(1_000, undefined)).toBe(false);
});

test("above the limit: since when the episode lasts, and by how much", () => {
  const last = { celsius: 36.9, change: 14.9, eventMs: NOW + 1_000, heardMs: NOW + 1_000 };
  store.batch(batch({ readings: { t0: NOW + 1_000, dt: [0], celsius: [36.9] }, last }), NOW);
  store.alerted({ nowMs: NOW, whole: true, episodes: [episode()] });
  const high = picture(NOW + 1_000);
  expect(high.state).toBe("high");
  expect(high.verdict).toBe(`High since ${clock(NOW - 9_000)}`);
  expect(high.margin).toBe("7.05 °C above the limit");
  expect(high.aboveLimit).toBe("25 % of 4 readings above it");
  expect(readingPicture(store, momentOf(store, NOW + 1_000), "fahrenheit").margin).toBe(
    "12.69 °F above the limit",
  );
});

test("an open alert is told as unknown while its pipeline is dead; a value above the limit is still seen", () => {
  store.alerted({ nowMs: NOW, whole: true, episodes: [episode({ lastMs: NOW - 2_000 })] });
  expect(picture()).toMatchObject({ verdict: `Alert open since ${clock(NOW - 9_000)}`, alarm: "open" });
  const gone = { name: "alert", state: "gone", behind: 3, sinceMs: NOW - 1_000 } as const;
  store.checked(health({ pipelines: [gone] }));
  expect(picture()).toMatchObject({ verdict: `Alert unknown since ${clock(NOW - 1_000)}`, alarm: "unknown" });
  const last = { celsius: 36.9, change: 14.9, eventMs: NOW + 1_000, heardMs: NOW + 1_000 };
  store.batch(batch({ readings: { t0: NOW + 1_000, dt: [0], celsius: [36.9] }, last }), NOW);
  expect(picture(NOW + 1_000)).toMatchObject({ state: "high", verdict: "High; alert unknown" });
});

test("silent: the value stays, with its age", () => {
  expect(picture(NOW + 12_000)).toMatchObject({
    state: "stale",
    value: "22.00",
    verdict: "No reading for 12 s",
    margin: "",
  });
});

test("a device that was never heard has no value", () => {
  store.snapshot(snapshot({ known: false, last: null, readings: { t0: 0, dt: [], celsius: [] }, kpis: [] }));
  expect(picture()).toMatchObject({ state: "no-data", value: "–", change: "" });
});

test("without a connection the value is as of then, and the tiles are unknown, not 0", () => {
  store.lost(NOW + 1_000);
  expect(picture(NOW + 60_000)).toMatchObject({ state: "frozen", verdict: `as of ${clock(NOW + 1_000)}` });
  expect(count()).toMatchObject({ state: "unknown", value: "unknown" });
});

test("no alert while the pipelines are up to date: 0; no reading: no data", () => {
  expect(count()).toMatchObject({ state: "ok", value: "0" });
  const empty: KpiTile = {
    name: "average_temperature",
    state: "empty",
    value: null,
    windowEndMs: null,
    because: [],
  };
  store.batch(batch({ kpis: [empty] }), NOW);
  expect(average()).toMatchObject({ state: "none", value: "no data" });
});

test("a pipeline that is not up to date: unknown, with the one to blame", () => {
  const unknown = { state: "unknown", value: null, windowEndMs: null } as const;
  store.batch(batch({ kpis: [{ name: "alert_count", ...unknown, because: ["alert", "alert-count"] }] }), NOW);
  expect(count()).toEqual({ state: "unknown", value: "unknown", note: "not known yet" });
  const [, ...others] = health().pipelines;
  store.checked(
    health({ pipelines: [{ name: "alert", state: "gone", behind: null, sinceMs: NOW }, ...others] }),
  );
  expect(count()).toEqual({ state: "unknown", value: "unknown", note: "alert is not running" });
});

test("a count above 0 stands out; an average is told in the unit shown", () => {
  const told = { state: "value", windowEndMs: NOW } as const;
  store.batch(
    batch({
      kpis: [
        { name: "alert_count", value: 4, ...told, because: [] },
        { name: "average_temperature", value: 24.1, ...told, because: [] },
      ],
    }),
    NOW,
  );
  expect(count()).toEqual({ state: "high", value: "4", note: `until ${clock(NOW)}` });
  expect(average().value).toBe("24.10 °C");
});

test("the rate is that of the usual interval; silence has none", () => {
  expect(ratePicture(momentOf(store, NOW)).value).toBe("1.0/s");
  expect(ratePicture(momentOf(store, NOW + 9_000))).toMatchObject({ value: "none", note: "for 9 s" });
});

test("rejected records stay counted, and stand out while they are recent", () => {
  const last = { topic: "sensor", partition: 1, offset: "7", reason: "not JSON", atMs: NOW };
  const bad = health({ rejected: { count: 3, last } });
  expect(rejectedPicture(bad, NOW + 100_000, 100_000)).toMatchObject({ state: "rejecting", value: "3" });
  expect(rejectedPicture(bad, NOW + 100_001, 100_000)).toMatchObject({ state: "ok", value: "3" });
  expect(rejectedPicture(undefined, NOW, 100_000).value).toBe("–");
  const good = health();
  expect(rejectedPicture(good, NOW, 100_000).value).toBe("0");
  expect(rejectedPicture({ ...good, ready: false }, NOW, 100_000).value).toBe("–");
  const away = { ...good.kafka, up: false };
  expect(rejectedPicture({ ...good, kafka: away }, NOW, 100_000).value).toBe("–");
});
