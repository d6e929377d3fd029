import { expect, test } from "vitest";
import { Devices } from "./devices.ts";

const limits = { maxAgeMs: 100_000, maxReadings: 1_000, maxReadingsInAll: 100_000, maxDevices: 3 };
const reading = (celsius: number, heardMs: number, eventMs = heardMs) => ({
  celsius,
  eventMs,
  heardMs,
  partition: 0,
  offset: 0,
});

test("the change is against the reading before; the first has none", () => {
  const devices = new Devices(limits);
  expect(devices.hear("a", reading(20, 1_000)).last.change).toBeNull();
  expect(devices.hear("a", reading(21.5, 2_000)).last.change).toBe(1.5);
});

test("the device least recently heard makes way, and comes back with positions of its own", () => {
  const devices = new Devices(limits);
  for (const id of ["a", "b", "c", "a", "d"]) devices.hear(id, reading(20, 1_000));
  expect([...devices.all()].map(({ id }) => id)).toEqual(["c", "a", "d"]);
  expect(devices.dropped).toBe(1);
  const again = devices.hear("b", reading(20, 2_000));
  expect(again.ring.first).toBeGreaterThanOrEqual(2);
  expect(again.last.change).toBeNull();
});

test("stale: three times the usual interval without a reading, but never before 3 s", () => {
  const devices = new Devices(limits);
  for (let i = 0; i < 5; i++) devices.hear("quick", reading(20, i * 100));
  const quick = devices.get("quick");
  expect(quick?.intervalMs).toBe(100);
  expect([quick?.isStale(3_400), quick?.isStale(3_401)]).toEqual([false, true]);
  for (let i = 0; i < 5; i++) devices.hear("slow", reading(20, i * 10_000));
  const slow = devices.get("slow");
  expect([slow?.isStale(70_000), slow?.isStale(70_001)]).toEqual([false, true]);
  devices.hear("once", reading(20, 0));
  expect([devices.get("once")?.isStale(3_000), devices.get("once")?.isStale(3_001)]).toEqual([false, true]);
});

test("a device whose last readings grew too old still has its usual interval", () => {
  const devices = new Devices(limits);
  for (let i = 0; i < 5; i++) devices.hear("a", reading(20, i * 10_000));
  expect(devices.get("a")?.intervalMs).toBe(10_000);
  const back = devices.hear("a", reading(20, 10_000_000));
  expect(back.intervalMs).toBe(10_000);
});

test("a clock is ahead from more than 5 s on", () => {
  const devices = new Devices(limits);
  expect(devices.hear("a", reading(20, 1_000, 6_000)).isAhead).toBe(false);
  expect(devices.hear("a", reading(20, 1_000, 6_001)).isAhead).toBe(true);
});
