/** What a fleet costs the server to keep, in bytes. */
import { expect, test } from "vitest";
import { ManualClock } from "./fixtures/manual-clock.ts";
import { MEGABYTE, usedBytes } from "./fixtures/used-bytes.ts";
import { LiveState } from "./state.ts";

const MINUTE_MS = 60_000;
const DEVICES = 1_000;

test("1,000 devices at a reading a second, 15 minutes of them kept: 30 MB, and no more after an hour", {
  timeout: 120_000,
}, () => {
  const clock = new ManualClock();
  const state = new LiveState(clock, {
    maxAgeMs: 15 * MINUTE_MS,
    maxDevices: 10_000,
    maxReadings: 20_000,
    maxReadingsInAll: 2_000_000,
  });
  state.catchUpDone();
  const ids = Array.from({ length: DEVICES }, (_, i) => `machine-${i}`);
  let offset = 0;
  const speak = (minutes: number) => {
    for (let second = 0; second < 60 * minutes; second++) {
      const eventMs = clock.now();
      const timestamp = new Date(eventMs).toISOString();
      for (const device_id of ids) {
        state.reading(
          { device_id, temperature: 20 + (offset % 9), timestamp },
          { partition: 0, offset: offset++, eventMs },
        );
      }
      clock.advance(1_000);
    }
  };
  const before = usedBytes();
  speak(16);
  const full = usedBytes();
  speak(44);
  const after = usedBytes();
  expect(state.devices.get("machine-7")?.ring.from(0).celsius.length).toBeGreaterThanOrEqual(900);
  expect((full - before) / MEGABYTE).toBeLessThan(30);
  expect((after - full) / MEGABYTE).toBeLessThan(2);
});
