import { isTrends } from "@kelvin/schema/live";
import { expect, test } from "vitest";
import { Devices } from "./devices.ts";
import { trendsOf } from "./trends.ts";

const limits = { maxAgeMs: 110_000, maxReadings: 20_000, maxReadingsInAll: 1e6, maxDevices: 10_000 };
const NOW = 1_000_000;

test("the newest reading of each 5 s, the oldest first, and nothing where none was heard", () => {
  const devices = new Devices(limits);
  for (let secondsAgo = 99; secondsAgo >= 0; secondsAgo--) {
    if (secondsAgo > 20 && secondsAgo < 40) continue;
    const heardMs = NOW - secondsAgo * 1_000;
    devices.hear("a", { celsius: secondsAgo / 2, eventMs: heardMs, heardMs, partition: 0, offset: 0 });
  }
  const trends = trendsOf(devices, ["a", "never heard"], 100_000, NOW);
  expect(isTrends(trends)).toBe(true);
  expect(trends).toMatchObject({ nowMs: NOW, stepMs: 5_000, ids: ["a", "never heard"] });
  const until = (secondsAgo: number) => secondsAgo * 5;
  expect(trends.deciCelsius[0]).toEqual(
    Array.from({ length: 20 }, (_, i) => 95 - 5 * i).map((secondsAgo) =>
      secondsAgo > 20 && secondsAgo < 40 ? null : until(secondsAgo),
    ),
  );
  expect(trends.deciCelsius[1]).toEqual(Array.from({ length: 20 }, () => null));
});

test("a page that opens before 1,000 devices is sent 20 kB of them, and a fast device costs no more than a slow one", () => {
  const devices = new Devices(limits);
  const ids = Array.from({ length: 1_000 }, (_, i) => `machine-${i}`);
  for (const id of ids)
    devices.hear(id, { celsius: 21.57, eventMs: NOW, heardMs: NOW, partition: 0, offset: 0 });
  for (let i = 0; i < 20_000; i++) {
    const heardMs = NOW - 100_000 + i * 5;
    devices.hear("fast", { celsius: 21.57, eventMs: heardMs, heardMs, partition: 0, offset: 0 });
  }
  const trends = trendsOf(devices, ["fast", ...ids], 100_000, NOW);
  expect(trends.ids).toHaveLength(200);
  expect(trends.deciCelsius[0]).toEqual(Array.from({ length: 20 }, () => 216));
  expect(JSON.stringify(trends).length).toBeLessThan(25_000);
});
