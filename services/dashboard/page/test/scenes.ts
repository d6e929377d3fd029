/**
 * What the page shows when the server says so: many devices, several troubles at once, another version. Each state on its
 * own is really caused in test/page-states.test.ts.
 */
import { FLAG, type PipelineHealth } from "@kelvin/schema/live";
import { endedEpisodes, episodeOf, NEWER_VERSION } from "./browser.ts";
import { calmReadings, fleetOf, type World } from "./live-server.ts";

export interface Scene {
  readonly name: string;
  /** One of `window.__kelvin.states()`. */
  readonly state: string;
  readonly world: () => Partial<World>;
}

export const SCENES: readonly Scene[] = [
  { name: "fleet", state: "live", world: fleet },
  { name: "fleet unknown", state: "pipeline-behind", world: () => ({ ...pipelineGone(), ...fleet() }) },
  { name: "all at once", state: "pipeline-behind", world: () => ({ ...clockAhead(), ...allAtOnce() }) },
  { name: "many alerts", state: "live", world: manyAlerts },
  { name: "outdated", state: "outdated", world: () => ({ welcome: { version: NEWER_VERSION } }) },
];

/** Worth a look at a distance. */
export const WALL_SCENES: readonly Scene[] = [
  { name: "fleet", state: "live", world: fleet },
  { name: "too hot", state: "live", world: tooHot },
];

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

/** One open alert, and 40 that are over: one a minute. */
function manyAlerts(): Partial<World> {
  return {
    fleet: fleetOf([{ id: "machine-01", celsius: 36.9, flags: FLAG.inAlarm }]),
    episodes: [episodeOf("machine-01"), ...endedEpisodes(40)],
  };
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

function clockAhead(): Partial<World> {
  return { fleet: fleetOf([{ id: "machine-01", celsius: 20, flags: FLAG.ahead, eventAgeMs: -9_000 }]) };
}

function allAtOnce(): Partial<World> {
  const last = { topic: "sensor", partition: 0, offset: "12", reason: "x".repeat(1_000), atMs: Date.now() };
  return { health: { ...pipelineGone().health, rejected: { count: 7, last } } };
}
