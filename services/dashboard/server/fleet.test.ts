import { devicesOf, isFleet } from "@kelvin/schema/live";
import { expect, test } from "vitest";
import { Devices } from "./devices.ts";
import { fleetOf, LISTED_MAX } from "./fleet.ts";

const limits = { maxAgeMs: 100_000, maxReadings: 100, maxReadingsInAll: 1e6, maxDevices: 10_000 };
const NOW = 1_000_000;

function heard(devices: Devices, id: string, heardMs: number, eventMs = heardMs, celsius = 20) {
  devices.hear(id, { celsius, eventMs, heardMs, partition: 0, offset: 0 });
}

test("the worst come first: in alarm, then stale, then ahead of the clock, then by name", () => {
  const devices = new Devices(limits);
  heard(devices, "well-2", NOW);
  heard(devices, "well-1", NOW);
  heard(devices, "ahead", NOW, NOW + 60_000);
  heard(devices, "stale", NOW - 10_000);
  heard(devices, "hot", NOW);
  heard(devices, "hot and stale", NOW - 10_000);
  const fleet = fleetOf(devices, (id) => id.startsWith("hot"), NOW);
  expect(fleet.ids).toEqual(["hot and stale", "hot", "stale", "ahead", "well-1", "well-2"]);
  expect(fleet).toMatchObject({ total: 6, inAlarm: 2, stale: 2 });
  expect(isFleet(JSON.parse(JSON.stringify(fleet)))).toBe(true);
});

test("a row survives the way to the page", () => {
  const devices = new Devices(limits);
  heard(devices, "a", NOW - 3_000, NOW - 3_100, 21.25);
  heard(devices, "a", NOW - 2_000, NOW - 2_100, 22);
  expect(devicesOf(fleetOf(devices, () => true, NOW))).toEqual([
    {
      id: "a",
      celsius: 22,
      change: 0.75,
      intervalMs: 1_000,
      eventMs: NOW - 2_100,
      heardMs: NOW - 2_000,
      inAlarm: true,
      stale: false,
      ahead: false,
    },
  ]);
});

test("at most 1,000 are listed, and all are counted", () => {
  const devices = new Devices(limits);
  for (let i = 0; i < 1_500; i++) heard(devices, `d-${i}`, NOW - (i < 1_200 ? 10_000 : 0));
  const fleet = fleetOf(devices, () => false, NOW);
  expect(fleet.ids).toHaveLength(LISTED_MAX);
  expect(fleet).toMatchObject({ total: 1_500, stale: 1_200 });
});
