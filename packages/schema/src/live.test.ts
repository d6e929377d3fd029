import fc from "fast-check";
import { expect, test } from "vitest";
import {
  eventTimes,
  isAck,
  isAlerts,
  isCredentials,
  isFleet,
  isGoodbye,
  isHandshake,
  isHealth,
  isSnapshot,
  isTrends,
  isWatch,
  isWelcome,
  openingOf,
  openingPath,
} from "./live.ts";

const snapshot = {
  boot: "b",
  nowMs: 2_000,
  device: "<img src=x>",
  known: true,
  next: 2,
  spanMs: 100_000,
  truncated: false,
  readings: { t0: 1_000, dt: [0, -5], celsius: [1.25, -3] },
  last: { celsius: -3, change: null, eventMs: 995, heardMs: 1_000 },
  intervalMs: null,
  kpis: [{ name: "alert_count", state: "unknown", value: null, windowEndMs: null, because: ["alert"] }],
};

test("a watch names a device or leaves the choice, and says what the page has", () => {
  expect(isWatch({ device: null, have: null, spanMs: null })).toBe(true);
  expect(isWatch({ device: "machine-01", have: { boot: "b", next: 0 }, spanMs: 300_000, more: 1 })).toBe(
    true,
  );
  for (const bad of [
    undefined,
    null,
    "machine-01",
    [],
    {},
    { device: "a" },
    { device: "", have: null, spanMs: null },
    { device: "x".repeat(65), have: null, spanMs: null },
    { device: { toString: "a" }, have: null, spanMs: null },
    { device: "a", have: {}, spanMs: null },
    { device: "a", have: { boot: "b", next: -1 }, spanMs: null },
    { device: "a", have: { boot: "b", next: 1.5 }, spanMs: null },
    { device: "a", have: { boot: 1, next: 1 }, spanMs: null },
    { device: "a", have: null },
    { device: "a", have: null, spanMs: -1 },
    { device: "a", have: null, spanMs: "900000" },
  ]) {
    expect(isWatch(bad)).toBe(false);
  }
  expect(isHandshake({ watch: { device: "a", have: null, spanMs: null } })).toBe(true);
  expect(isHandshake({})).toBe(false);
});

test("a page of an older version may come in, to hear that it is outdated", () => {
  expect(isHandshake({ watch: { device: "a", have: null } })).toBe(true);
  expect(isHandshake({ watch: { device: "a", have: null, spanMs: "1" } })).toBe(false);
});

test("the first picture's address says what the page's own says", () => {
  const device = fc.option(fc.string({ minLength: 1, maxLength: 64, unit: "grapheme-ascii" }), {
    nil: undefined,
  });
  const span = fc.option(fc.integer({ min: 1, max: 1e6 }), { nil: undefined });
  fc.assert(
    fc.property(device, span, (device, seconds) => {
      const of = { device, spanMs: seconds === undefined ? undefined : 1_000 * seconds };
      expect(openingOf(openingPath(of).slice("opening.json".length))).toEqual(of);
    }),
  );
});

test.each(["1", "900", "1e300", "9007199254740991", "9007199254741", "-1", "0.001", "NaN", "%00", ""])(
  "an address with span=%s leads to a watch that a server takes",
  (span) => {
    const { spanMs = null } = openingOf(`?span=${span}`);
    expect(isWatch({ device: null, have: null, spanMs })).toBe(true);
  },
);

test("fields are asked of the message itself, not of what it inherits", () => {
  expect(isWatch(Object.create({ device: "a", have: null, spanMs: null }))).toBe(false);
});

test("a snapshot is whole, or none", () => {
  expect(isSnapshot(snapshot)).toBe(true);
  expect(isSnapshot({ ...snapshot, last: null, intervalMs: 5 })).toBe(true);
  expect(isSnapshot({ ...snapshot, readings: { t0: 1, dt: [0], celsius: [] } })).toBe(false);
  expect(isSnapshot({ ...snapshot, readings: { t0: 1, dt: [null], celsius: [1] } })).toBe(false);
  expect(isSnapshot({ ...snapshot, kpis: [{ ...snapshot.kpis[0], name: "other" }] })).toBe(false);
  for (const name of Object.keys(snapshot))
    expect(isSnapshot({ ...snapshot, [name]: undefined })).toBe(false);
});

test("event times come back from their steps", () => {
  expect(eventTimes(snapshot.readings)).toEqual([1_000, 995]);
  expect(eventTimes({ t0: 0, dt: [], celsius: [] })).toEqual([]);
});

test("columns of a fleet have one length", () => {
  const columns = {
    ids: ["a"],
    celsius: [1],
    change: [null],
    intervalMs: [1],
    eventAgeMs: [1],
    heardAgeMs: [1],
  };
  const fleet = { nowMs: 1, total: 1, inAlarm: 0, stale: 0, ...columns, flags: [0] };
  expect(isFleet(fleet)).toBe(true);
  for (const name of Object.keys(columns)) expect(isFleet({ ...fleet, [name]: [] })).toBe(false);
});

test("other messages of the server", () => {
  const episode = {
    id: "1",
    device: "a",
    sinceMs: 1,
    lastMs: 1,
    readings: 1,
    peakCelsius: 1,
    lastCelsius: 1,
  };
  expect(isAlerts({ nowMs: 1, whole: true, episodes: [{ ...episode, endedMs: null }] })).toBe(true);
  expect(isAlerts({ nowMs: 1, whole: true, episodes: [episode] })).toBe(false);
  const health = {
    nowMs: 1,
    ready: true,
    kafka: { up: true, sinceMs: null, dataUpToMs: null },
    pipelines: [{ name: "alert", state: "gone", behind: null, sinceMs: 1 }],
    rejected: { count: 1, last: { topic: "sensor", partition: 0, offset: "7", reason: "r", atMs: 1 } },
    devicesDropped: 0,
  };
  expect(isHealth(health)).toBe(true);
  expect(isHealth({ ...health, kafka: {} })).toBe(false);
  const welcome = {
    version: 1,
    boot: "b",
    nowMs: 1,
    windowMs: 100_000,
    spansMs: [100_000, 300_000, 900_000],
    limitKelvin: 303,
    topics: { sensor: "sensor", alert: "alert", kpi: "kpi" },
    kpis: [{ name: "alert_count", unit: "alerts", windowSeconds: 5 }],
    stale: { intervals: 3, atLeastMs: 3_000 },
    commands: { producer: "npm run producer", processor: "npm run stream-processor", areWhole: true },
  };
  expect(isWelcome(welcome)).toBe(true);
  expect(isWelcome({ ...welcome, commands: { producer: "npm run producer" } })).toBe(false);
  expect(isWelcome({ ...welcome, limitKelvin: "303" })).toBe(false);
});

test("what a page acknowledges, and who it says it is", () => {
  expect(isAck({ fleetMs: 1 })).toBe(true);
  for (const bad of [undefined, 1, {}, { fleetMs: "1" }, { fleetMs: Number.NaN }])
    expect(isAck(bad)).toBe(false);
  expect(isCredentials({ token: "" })).toBe(true);
  for (const bad of [undefined, {}, { token: 1 }, { token: ["a"] }]) expect(isCredentials(bad)).toBe(false);
});

test("a goodbye has one of the reasons there are", () => {
  expect(isGoodbye({ nowMs: 1, why: "too-slow" })).toBe(true);
  expect(isGoodbye({ nowMs: 1, why: "other" })).toBe(false);
});

test("trends have a line for each device", () => {
  const trends = { nowMs: 1, stepMs: 5_000, ids: ["a"], deciCelsius: [[215, null, 220]] };
  expect(isTrends(trends)).toBe(true);
  expect(isTrends({ ...trends, ids: ["a", "b"] })).toBe(false);
  expect(isTrends({ ...trends, deciCelsius: [["215"]] })).toBe(false);
});
