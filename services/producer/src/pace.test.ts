import { type SensorReading, utc } from "@kelvin/schema";
import { describe, expect, test } from "vitest";
import { deviceNames } from "./config.ts";
import { ManualClock } from "./manual-clock.test-support.ts";
import { type Due, pace, simulatedReadings } from "./pace.ts";
import { type Machine, temperatureOf } from "./simulate.ts";

const START_MS = Date.UTC(2026, 0, 1);
const machine: Machine = {
  base: 22,
  amplitude: 15,
  frequency: 0.05,
  phase: 0,
  noise: 2,
  outlierProbability: 0.05,
  seed: 1,
};

interface Sent {
  atMs: number;
  reading: SensorReading;
}

function run(source: (clock: ManualClock) => Iterable<Due> | AsyncIterable<Due>) {
  const clock = new ManualClock(START_MS);
  const sent: Sent[] = [];
  const stopping = new AbortController();
  const done = pace(source(clock), clock, stopping.signal, (reading) => {
    sent.push({ atMs: clock.now() - START_MS, reading });
  });
  return { clock, sent, stopping, done };
}

function simulation(devices: number, intervalMs: number, jumps: number[] = []) {
  return (clock: ManualClock) =>
    simulatedReadings(
      { machine, devices: deviceNames(devices), intervalMs },
      () => clock.now(),
      utc,
      (byMs) => jumps.push(byMs),
    );
}

describe("simulated devices", () => {
  test("begin at once and then keep their interval without drift, each reading stamped with its due time", async () => {
    const { clock, sent, stopping, done } = run(simulation(1, 1000));
    for (let step = 0; step < 100; step++) await clock.advance(997);
    stopping.abort();
    await done;
    expect(sent.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 100 }, (_, second) => second * 1000));
    expect(sent.every(({ atMs, reading }) => Date.parse(reading.timestamp) === START_MS + atMs)).toBe(true);
    expect(sent[0]?.reading.timestamp).toBe("2026-01-01T00:00:00.000Z");
  });

  test("share an interval evenly, and each is read once in it", async () => {
    const { clock, sent, stopping, done } = run(simulation(20, 1000));
    await clock.advance(1999);
    stopping.abort();
    await done;
    expect(sent.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 40 }, (_, index) => index * 50));
    expect(new Set(sent.slice(0, 20).map(({ reading }) => reading.device_id)).size).toBe(20);
  });

  test.each([3_600_000, -3_600_000])(
    "continue from the present when the clock jumps by %d ms",
    async (byMs) => {
      const jumps: number[] = [];
      const { clock, sent, stopping, done } = run(simulation(1, 1000, jumps));
      await clock.advance(2500);
      clock.jump(byMs);
      await clock.advance(5000);
      stopping.abort();
      await done;
      // 0, 1 and 2 s before; then at most one reading that was waiting already, and one a second by the new time.
      expect(jumps).toEqual([expect.any(Number)]);
      expect(Math.abs((jumps[0] ?? 0) - byMs)).toBeLessThanOrEqual(1000);
      expect(sent.length).toBeGreaterThanOrEqual(7);
      expect(sent.length).toBeLessThanOrEqual(9);
      const lags = sent.slice(4).map(({ atMs, reading }) => START_MS + atMs - Date.parse(reading.timestamp));
      expect(lags.every((lagMs) => lagMs === 0)).toBe(true);
    },
  );

  test("are not all at the top of their waves together, and the first is where the formula says", async () => {
    const { clock, sent, stopping, done } = run(simulation(40, 1000));
    await clock.advance(999);
    stopping.abort();
    await done;
    const temperatures = sent.map(({ reading }) => reading.temperature);
    expect(temperatures[0]).toBe(temperatureOf(machine, "machine-01", START_MS));
    const isAboveBase = (celsius: number) => celsius > machine.base;
    const above = temperatures.filter(isAboveBase).length;
    expect(above).toBeGreaterThan(10);
    expect(above).toBeLessThan(30);
  });

  test("are called machine-01, machine-02, ..., machine-100", () => {
    const names = deviceNames(100);
    expect([names[0], names[9], names[99], new Set(names).size]).toEqual([
      "machine-01",
      "machine-10",
      "machine-100",
      100,
    ]);
  });
});

describe("pacing", () => {
  test("ends at once when it is asked to, however far the next reading is", async () => {
    const { clock, sent, stopping, done } = run(simulation(1, 86_400_000));
    await clock.advance(1000);
    stopping.abort();
    await done;
    expect(sent).toHaveLength(1);
  });

  test("ends with the readings", async () => {
    const reading: SensorReading = { timestamp: utc(START_MS), device_id: "m", temperature: 1 };
    const due: Due[] = [
      { dueMs: START_MS, reading },
      { dueMs: START_MS + 500, reading },
    ];
    const { clock, sent, done } = run(() => due);
    await clock.advance(500);
    await done;
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 500]);
  });

  test("gives others their turn while it catches up with a thousand overdue readings", async () => {
    const reading: SensorReading = { timestamp: utc(START_MS), device_id: "m", temperature: 1 };
    const { clock, sent, done } = run(() =>
      Array.from({ length: 1000 }, () => ({ dueMs: START_MS - 1, reading })),
    );
    await Promise.resolve();
    for (let turn = 0; turn < 2000; turn++) await Promise.resolve();
    expect(sent.length).toBeLessThan(1000);
    await clock.advance(0);
    for (let turn = 0; turn < 5000; turn++) {
      await Promise.resolve();
      if (turn % 500 === 0) await clock.advance(0);
    }
    await done;
    expect(sent).toHaveLength(1000);
  });
});
