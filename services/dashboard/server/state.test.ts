import { expect, test } from "vitest";
import { ManualClock } from "./fixtures/manual-clock.ts";
import { LiveState } from "./state.ts";

const limits = { maxAgeMs: 110_000, maxReadings: 1_000, maxReadingsInAll: 1e6, maxDevices: 100 };

function stateAndFeed() {
  const clock = new ManualClock();
  const state = new LiveState(clock, limits);
  let offset = 0;
  const at = (eventMs: number) => ({ partition: 0, offset: offset++, eventMs });
  const timestampOf = (eventMs: number) => new Date(eventMs).toISOString();
  return {
    clock,
    state,
    reading: (device: string, temperature: number, eventMs: number) =>
      state.reading({ device_id: device, temperature, timestamp: timestampOf(eventMs) }, at(eventMs)),
    alert: (device: string, celsius: number, eventMs: number) =>
      state.alert(
        { device_id: device, celsius, fahrenheit: 0, kelvin: 0, timestamp: timestampOf(eventMs) },
        at(eventMs),
      ),
  };
}

test("a device that fell silent before the server's start is stale from the first moment", () => {
  const { clock, state, reading } = stateAndFeed();
  const nowMs = clock.now();
  for (let secondsAgo = 90; secondsAgo >= 60; secondsAgo--) reading("a", 20, nowMs - secondsAgo * 1_000);
  reading("b", 20, nowMs - 500);
  state.catchUpDone();
  expect(state.devices.get("a")?.isStale(nowMs)).toBe(true);
  expect(state.devices.get("b")?.isStale(nowMs)).toBe(false);
});

test("a device with a slow clock is live while it speaks", () => {
  const { clock, state, reading } = stateAndFeed();
  state.catchUpDone();
  reading("a", 20, clock.now() - 3_600_000);
  expect(state.devices.get("a")?.isStale(clock.now())).toBe(false);
});

test("at the start alerts and readings may come in any order: the episodes are the same", () => {
  const tell = (readingsFirst: boolean) => {
    const { clock, state, reading, alert } = stateAndFeed();
    const startMs = clock.now() - 60_000;
    const readings = () => {
      for (let second = 0; second < 30; second++) reading("a", 20, startMs + second * 1_000);
    };
    if (readingsFirst) readings();
    for (const second of [20, 1, 2]) alert("a", 36, startMs + second * 1_000);
    if (!readingsFirst) readings();
    expect(state.episodes.all()).toEqual([]);
    state.catchUpDone();
    return state.episodes
      .all()
      .map(({ sinceMs, readings: hot, endedMs }) => [sinceMs - startMs, hot, endedMs && endedMs - startMs]);
  };
  const expected = [
    [20_000, 1, null],
    [1_000, 2, 7_000],
  ];
  expect(tell(true)).toEqual(expected);
  expect(tell(false)).toEqual(expected);
});

test("while Kafka is down the page knows up to when it has data; a clock ahead does not count", () => {
  const { clock, state, reading } = stateAndFeed();
  state.catchUpDone();
  reading("a", 20, clock.now() - 100);
  reading("ahead", 20, clock.now() + 3_600_000);
  const goneMs = clock.now();
  state.kafkaSeen(goneMs);
  expect(state.health().kafka).toEqual({ up: false, sinceMs: goneMs, dataUpToMs: goneMs - 100 });
  state.kafkaSeen(undefined);
  expect(state.health().kafka).toEqual({ up: true, sinceMs: null, dataUpToMs: null });
});

test("whoever listens is told what changed, once, and not of what is old", () => {
  const { clock, state, reading } = stateAndFeed();
  const told: string[] = [];
  state.listen({
    deviceChanged: (device) => told.push(device),
    alertsChanged: () => told.push("alerts"),
    healthChanged: () => told.push("health"),
  });
  reading("a", 20, clock.now());
  const kpi = (windowEndMs: number) =>
    state.kpi(
      {
        name: "alert_count",
        device_id: "b",
        value: 1,
        unit: "alerts",
        window_seconds: 5,
        window_start: new Date(windowEndMs - 5_000).toISOString(),
        window_end: new Date(windowEndMs).toISOString(),
      },
      0,
    );
  kpi(10_000);
  kpi(10_000);
  kpi(9_000);
  expect(told).toEqual(["a", "b"]);
});
