/** The states of the page as a test can put them on a stage: what the server says, and what happens then. */
import { FLAG, type PipelineHealth } from "@kelvin/schema/live";
import type { Page } from "playwright-core";
import { episodeOf, isIn, NEWER_VERSION, told } from "./browser.ts";
import { calmReadings, fleetOf, type LiveServer, type World } from "./live-server.ts";

export interface Scene {
  readonly name: string;
  /** One of `window.__kelvin.states()`. */
  readonly state: string;
  readonly world: () => Partial<World>;
  readonly act?: (tab: { page: Page; server: LiveServer }) => Promise<void>;
}

export const SCENES: readonly Scene[] = [
  { name: "live", state: "live", world: () => ({}), act: ({ server }) => hear(server, 21.5) },
  { name: "too hot", state: "live", world: tooHot, act: ({ server }) => hear(server, 36.9) },
  { name: "fleet", state: "live", world: fleet },
  { name: "stale", state: "stale", world: () => ({ ...silentSince(25_000), intervalMs: 1_000 }) },
  { name: "no data", state: "no-data", world: () => ({ silent: true, readings: [] }) },
  {
    name: "connecting",
    state: "connecting",
    world: fleet,
    async act({ page, server }) {
      await isIn(page, "live");
      await server.stop();
      await isIn(page, "connecting");
    },
  },
  {
    name: "paused",
    state: "live",
    world: tooHot,
    async act({ page, server }) {
      await isIn(page, "live");
      await page.getByTestId("pause").click();
      await told(page, "paused").waitFor();
      server.say(31);
    },
  },
  {
    name: "kafka down",
    state: "kafka-down",
    world: () => ({
      ...fleet(),
      health: { kafka: { up: false, sinceMs: Date.now() - 14_000, dataUpToMs: Date.now() - 14_300 } },
    }),
  },
  { name: "pipeline behind", state: "pipeline-behind", world: pipelineGone },
  { name: "bad data", state: "bad-data", world: badData },
  { name: "clock ahead", state: "clock-ahead", world: clockAhead },
  { name: "all at once", state: "pipeline-behind", world: () => ({ ...clockAhead(), ...allAtOnce() }) },
  { name: "outdated", state: "outdated", world: () => ({ welcome: { version: NEWER_VERSION } }) },
];

async function hear(server: LiveServer, celsius: number): Promise<void> {
  server.say(celsius);
}

function tooHot(): Partial<World> {
  const nowMs = Date.now();
  const readings = calmReadings(nowMs).map(({ timeMs, celsius }) => ({ timeMs, celsius: celsius + 12 }));
  return {
    readings: [...readings, { timeMs: nowMs, celsius: 47.98 }],
    fleet: fleetOf([{ id: "machine-01", celsius: 47.98, flags: FLAG.inAlarm }]),
    episodes: [
      episodeOf("machine-01"),
      episodeOf("machine-01", {
        id: "2",
        lastMs: nowMs - 40_000,
        sinceMs: nowMs - 52_000,
        endedMs: nowMs - 35_000,
      }),
    ],
    kpis: [
      { name: "alert_count", state: "value", value: 4, windowEndMs: nowMs, because: [] },
      { name: "average_temperature", state: "value", value: 36.12, windowEndMs: nowMs, because: [] },
    ],
  };
}

/** 60 machines, of which one is too hot, one too hot and silent, one silent, one with a clock that is ahead. */
function fleet(): Partial<World> {
  const flags = [FLAG.inAlarm, FLAG.inAlarm | FLAG.stale, FLAG.stale, FLAG.ahead];
  const devices = Array.from({ length: 60 }, (_, i) => ({
    id: `machine-${String(i + 1).padStart(2, "0")}`,
    celsius: i === 0 ? 36.9 : 14 + ((i * 7) % 13) + i / 100,
    flags: flags[i] ?? 0,
    heardAgeMs: ((flags[i] ?? 0) & FLAG.stale) === 0 ? 200 : 74_000,
    eventAgeMs: flags[i] === FLAG.ahead ? -9_000 : 200,
  }));
  return {
    fleet: fleetOf(devices),
    episodes: [
      episodeOf("machine-02", { id: "1" }),
      episodeOf("machine-01", { id: "2", sinceMs: Date.now() - 75_000, readings: 71 }),
      episodeOf("machine-17", {
        id: "3",
        sinceMs: Date.now() - 96_000,
        lastMs: Date.now() - 90_000,
        endedMs: Date.now() - 80_000,
      }),
    ],
  };
}

/** One device that last spoke so long ago. */
function silentSince(silentMs: number): Partial<World> {
  return { readings: calmReadings(Date.now() - silentMs) };
}

function pipelineGone(): Partial<World> {
  const sinceMs = Date.now() - 75_000;
  const pipelines: PipelineHealth[] = [
    { name: "alert", state: "gone", behind: 42, sinceMs },
    { name: "alert-count", state: "up-to-date", behind: 0, sinceMs },
    { name: "average-temperature", state: "up-to-date", behind: 0, sinceMs },
  ];
  return {
    health: { pipelines },
    kpis: [
      { name: "alert_count", state: "unknown", value: null, windowEndMs: null, because: ["alert"] },
      { name: "average_temperature", state: "value", value: 21, windowEndMs: Date.now(), because: [] },
    ],
  };
}

function badData(): Partial<World> {
  const reason = "temperature: expected number, received string";
  const last = { topic: "sensor", partition: 1, offset: "883214", reason, atMs: Date.now() - 3_000 };
  return { health: { rejected: { count: 1_204, last } } };
}

function clockAhead(): Partial<World> {
  return { fleet: fleetOf([{ id: "machine-01", celsius: 20, flags: FLAG.ahead, eventAgeMs: -9_000 }]) };
}

function allAtOnce(): Partial<World> {
  const last = { topic: "sensor", partition: 0, offset: "12", reason: "x".repeat(1_000), atMs: Date.now() };
  return { health: { ...pipelineGone().health, rejected: { count: 7, last } } };
}
