import { beforeEach, expect, test } from "vitest";
import { Announcer, episodeLines, noAlertsText } from "./alerts.ts";
import { episode, health, NOW } from "./fixtures.ts";
import { clock } from "./format.ts";
import { Store } from "./store.ts";

let store: Store;
beforeEach(() => {
  store = new Store(undefined, NOW);
  store.opened();
  store.checked(health());
});

function alerted(whole: boolean, ...episodes: ReturnType<typeof episode>[]) {
  store.alerted({ nowMs: NOW, whole, episodes });
}

test("ongoing first, then ended; the latest begun on top in both", () => {
  alerted(
    true,
    episode({ id: "old", endedMs: NOW, sinceMs: NOW - 90_000 }),
    episode({ id: "ended", endedMs: NOW, sinceMs: NOW - 50_000 }),
    episode({ id: "first", sinceMs: NOW - 9_000 }),
    episode({ id: "second", sinceMs: NOW - 4_000 }),
  );
  expect(episodeLines(store, "celsius", NOW).map(({ id }) => id)).toEqual([
    "second",
    "first",
    "ended",
    "old",
  ]);
});

test("open ones and the five that ended last are in sight, the others are earlier ones", () => {
  const ended = Array.from({ length: 8 }, (_, i) =>
    episode({ id: `ended-${i}`, sinceMs: NOW - 1_000 * (100 + i), endedMs: NOW - 1_000 * (90 + i) }),
  );
  alerted(true, ...ended, ...["a", "b", "c"].map((id) => episode({ id })));
  const lines = episodeLines(store, "celsius", NOW);
  expect(lines.filter(({ isEarlier }) => !isEarlier).map(({ id }) => id)).toEqual([
    ...["a", "b", "c"],
    ...["ended-0", "ended-1", "ended-2", "ended-3", "ended-4"],
  ]);
});

test("an episode is one line: since when, how long, how many readings, how high", () => {
  alerted(true, episode());
  expect(episodeLines(store, "celsius", NOW)).toEqual([
    {
      id: "1",
      device: "machine-01",
      state: "ongoing",
      word: "High",
      value: "36.90 °C",
      detail: `since ${clock(NOW - 9_000)}, 9 s, 7\u00a0readings, peak\u00a041.20\u00a0°C`,
      isEarlier: false,
    },
  ]);
});

test("an empty list is an all-clear only while the alert pipeline is known to be up to date", () => {
  expect(noAlertsText(store)).toContain("Unknown");
  alerted(true);
  expect(noAlertsText(store)).toMatch(/^None/);
  store.checked(health({ pipelines: [{ name: "alert", state: "gone", behind: 3, sinceMs: NOW }] }));
  expect(noAlertsText(store)).toContain("Unknown");
  store.checked(health());
  store.lost(NOW);
  expect(noAlertsText(store)).toContain("Unknown");
});

test("an open alert is unknown from when its pipeline, Kafka or the connection was lost", () => {
  alerted(true, episode(), episode({ id: "2", endedMs: NOW, sinceMs: NOW - 60_000 }));
  const states = () => episodeLines(store, "celsius", NOW).map(({ state, word }) => `${state} ${word}`);
  const [first] = episodeLines(store, "celsius", NOW);
  expect([first?.state, states()[1]]).toEqual(["ongoing", "ended Over"]);
  const detail = () => episodeLines(store, "celsius", NOW)[0]?.detail;
  const pipeline = { name: "alert", behind: 3, sinceMs: NOW + 5_000 } as const;
  for (const state of ["gone", "behind", "unknown"] as const) {
    store.checked(health({ pipelines: [{ ...pipeline, state }] }));
    expect(states()).toEqual(["unknown Unknown", "ended Over"]);
    expect(detail()).toBe(
      `since ${clock(NOW + 5_000)}; high from ${clock(NOW - 9_000)}, 7\u00a0readings, peak\u00a041.20\u00a0°C`,
    );
  }
  // One that is behind keeps the earlier state: what it last reported was still true then.
  store.checked(health({ pipelines: [{ ...pipeline, state: "behind", sinceMs: NOW - 3_000 }] }));
  expect(detail()).toMatch(`since ${clock(NOW)};`);
  store.checked(health({ kafka: { up: false, sinceMs: NOW + 7_000, dataUpToMs: null } }));
  expect(detail()).toMatch(`since ${clock(NOW + 7_000)};`);
  store.checked(health());
  expect(states()[0]).toBe("ongoing High");
  store.lost(NOW + 9_000);
  expect(states()[0]).toBe("unknown Unknown");
  expect(detail()).toMatch(`since ${clock(NOW + 9_000)};`);
});

test("only new alerts are announced, each once, several as one sentence", () => {
  const announcer = new Announcer();
  expect(announcer.news(store, "celsius")).toBe("");
  alerted(true, episode({ id: "there already" }));
  expect(announcer.news(store, "celsius")).toBe("");
  alerted(false, episode({ id: "new", device: "machine-02" }));
  expect(announcer.news(store, "celsius")).toBe("New alert: machine-02 at 36.90 °C");
  alerted(false, episode({ id: "new", device: "machine-02", readings: 9 }));
  expect(announcer.news(store, "celsius")).toBe("");
  alerted(false, episode({ id: "x", device: "a" }), episode({ id: "y", device: "b" }));
  expect(announcer.news(store, "celsius")).toBe("2 new alerts: a, b");
});
