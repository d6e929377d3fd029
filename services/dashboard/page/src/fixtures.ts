/** Messages as a healthy server sends them, for tests to change where they differ. */
import type { Batch, Episode, Fleet, Health, Snapshot, Welcome } from "@kelvin/schema/live";
import { LIVE_VERSION } from "@kelvin/schema/live";

/** 12:04:31 UTC on a summer day. */
export const NOW = Date.UTC(2026, 6, 1, 12, 4, 31);

export function welcome(change: Partial<Welcome> = {}): Welcome {
  return {
    version: LIVE_VERSION,
    boot: "boot-1",
    nowMs: NOW,
    windowMs: 100_000,
    spansMs: [100_000, 300_000, 900_000],
    limitKelvin: 303,
    topics: { sensor: "sensor", alert: "alert", kpi: "kpi" },
    kpis: [
      { name: "alert_count", unit: "alerts", windowSeconds: 5 },
      { name: "average_temperature", unit: "celsius", windowSeconds: 10 },
    ],
    stale: { intervals: 3, atLeastMs: 3_000 },
    commands: {
      producer: "npm run producer -- PORT=0",
      processor: "npm run stream-processor -- PORT=0",
      areWhole: true,
    },
    ...change,
  };
}

/** Three readings, one a second, the newest just come: 20, 21 and 22 °C. */
export function snapshot(change: Partial<Snapshot> = {}): Snapshot {
  return {
    boot: "boot-1",
    nowMs: NOW,
    device: "machine-01",
    known: true,
    next: 3,
    spanMs: 100_000,
    truncated: false,
    readings: { t0: NOW - 2_000, dt: [0, 1_000, 1_000], celsius: [20, 21, 22] },
    last: { celsius: 22, change: 1, eventMs: NOW, heardMs: NOW },
    intervalMs: 1_000,
    kpis: [
      { name: "alert_count", state: "empty", value: 0, windowEndMs: null, because: [] },
      { name: "average_temperature", state: "value", value: 21, windowEndMs: NOW, because: [] },
    ],
    ...change,
  };
}

export function batch(change: Partial<Batch> = {}): Batch {
  return {
    boot: "boot-1",
    nowMs: NOW + 1_000,
    device: "machine-01",
    first: 3,
    readings: { t0: NOW + 1_000, dt: [0], celsius: [23.5] },
    last: { celsius: 23.5, change: 1.5, eventMs: NOW + 1_000, heardMs: NOW + 1_000 },
    intervalMs: 1_000,
    kpis: null,
    ...change,
  };
}

export function fleet(change: Partial<Fleet> = {}): Fleet {
  return {
    nowMs: NOW,
    total: 1,
    inAlarm: 0,
    stale: 0,
    ids: ["machine-01"],
    celsius: [22],
    change: [1],
    intervalMs: [1_000],
    eventAgeMs: [0],
    heardAgeMs: [0],
    flags: [0],
    ...change,
  };
}

export function health(change: Partial<Health> = {}): Health {
  return {
    nowMs: NOW,
    ready: true,
    kafka: { up: true, sinceMs: null, dataUpToMs: null },
    pipelines: (["alert", "alert-count", "average-temperature"] as const).map((name) => ({
      name,
      state: "up-to-date",
      behind: 0,
      sinceMs: NOW - 60_000,
    })),
    rejected: { count: 0, last: null },
    devicesDropped: 0,
    ...change,
  };
}

export function episode(change: Partial<Episode> = {}): Episode {
  return {
    id: "1",
    device: "machine-01",
    sinceMs: NOW - 9_000,
    lastMs: NOW,
    readings: 7,
    peakCelsius: 41.2,
    lastCelsius: 36.9,
    endedMs: null,
    ...change,
  };
}
