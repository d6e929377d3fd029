/** What a producer may do to us, out of malice or by a fault: the state stays small, and everything else continues. */
import { alertTopic, kpiTopic, sensorTopic } from "@kelvin/schema";
import { isAlerts, isFleet, isSnapshot } from "@kelvin/schema/live";
import { expect, test, vi } from "vitest";
import { ManualClock } from "./fixtures/manual-clock.ts";
import { startServer, TestPage } from "./fixtures/server-and-page.ts";
import { MEGABYTE, usedBytes } from "./fixtures/used-bytes.ts";
import { fleetOf } from "./fleet.ts";
import { LiveState } from "./state.ts";

const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 5_000, interval: 10 });

test("a million devices, 100,000 of them with alerts and KPIs: memory is that of 10,000", {
  timeout: 120_000,
}, () => {
  const clock = new ManualClock();
  const state = new LiveState(clock, {
    maxAgeMs: 110_000,
    maxDevices: 10_000,
    maxReadings: 20_000,
    maxReadingsInAll: 2_000_000,
  });
  state.catchUpDone();
  const speak = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const eventMs = clock.now();
      const timestamp = new Date(eventMs).toISOString();
      const device_id = `device-${i}`;
      const at = { partition: 0, offset: i, eventMs };
      state.reading({ device_id, temperature: 40, timestamp }, at);
      if (i < 100_000) {
        state.alert({ device_id, celsius: 40, fahrenheit: 104, kelvin: 313.15, timestamp }, at);
        const window = { window_seconds: 5, window_start: timestamp, window_end: timestamp };
        state.kpi({ name: "alert_count", device_id, value: 1, unit: "alerts", ...window }, 0);
      }
      if (i % 1_000 === 999) {
        clock.advance(100);
        state.episodes.takeChanges();
      }
    }
  };
  const before = usedBytes();
  speak(0, 20_000);
  const full = usedBytes();
  speak(20_000, 1_000_000);
  state.episodes.takeChanges();
  const after = usedBytes();
  expect(full - before).toBeLessThan(60 * MEGABYTE);
  expect(after - full).toBeLessThan(8 * MEGABYTE);
  expect(state.devices.size).toBe(10_000);
  expect(state.devices.dropped).toBe(990_000);
  expect(state.episodes.activeCount).toBe(10_000);
  expect(fleetOf(state.devices, () => true, clock.now()).ids).toHaveLength(1_000);
});

test("temperatures near the end of a double are refused, in every topic that carries one", () => {
  const timestamp = "2026-01-01T00:00:00.000Z";
  for (const celsius of ["1e308", "-1e308", "1.8e308", "-274", "1000001"]) {
    const window = `"window_seconds":10,"window_start":"${timestamp}","window_end":"${timestamp}"`;
    for (const [topic, json] of [
      [sensorTopic, `{"device_id":"a","timestamp":"${timestamp}","temperature":${celsius}}`],
      [
        alertTopic,
        `{"device_id":"a","timestamp":"${timestamp}","celsius":${celsius},"fahrenheit":1,"kelvin":1}`,
      ],
      [
        kpiTopic,
        `{"device_id":"a","name":"average_temperature","value":${celsius},"unit":"celsius",${window}}`,
      ],
    ] as const) {
      expect(topic.decode(Buffer.from(json)).ok, json).toBe(false);
    }
  }
});

test("clocks of the years 1 and 9999 are shown as they are, flagged where ahead, and break nothing", async () => {
  await using server = await startServer();
  const say = (device: string, eventMs: number, celsius: number) =>
    server.state.reading(
      { device_id: device, temperature: celsius, timestamp: new Date(eventMs).toISOString() },
      { partition: 0, offset: 0, eventMs },
    );
  const past = Date.parse("0001-01-01T00:00:00Z");
  const future = Date.parse("9999-12-31T23:59:59Z");
  for (const device of ["a", "b"]) {
    say(device, past, 1);
    say(device, future, 2);
    server.hear(device, 3);
    say(device, past, 4);
  }
  say("b", future, 5);
  using page = TestPage.watching(server.url, "a");
  await until(() => expect(page.alerts).toHaveLength(1));
  expect(page.series.map(({ celsius }) => celsius)).toEqual([1, 2, 3, 4]);
  expect(page.series.map(({ eventMs }) => eventMs).filter((_, i) => i !== 2)).toEqual([past, future, past]);
  expect(page.fleet?.ids[0]).toBe("b");
  server.hear("a", 5);
  await until(() => expect(page.series.at(-1)?.celsius).toBe(5));
  server.state.kafkaSeen(Date.now());
  await until(() => expect(page.health?.kafka.dataUpToMs).toBeLessThanOrEqual(Date.now()));
  expect([isSnapshot(page.snapshots[0]), isFleet(page.fleet), isAlerts(page.alerts[0])]).not.toContain(false);
  expect(page.unfit).toEqual([]);
});
