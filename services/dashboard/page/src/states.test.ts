import { beforeEach, expect, test } from "vitest";
import { fleet, health, NOW, snapshot, welcome } from "./fixtures.ts";
import { clock } from "./format.ts";
import { momentOf } from "./moment.ts";
import { headlineOf, noticesOf, pausedNotice, toldOf } from "./states.ts";
import { Store } from "./store.ts";

let store: Store;
beforeEach(() => {
  store = new Store(undefined, NOW);
  store.opened();
  store.welcomed(welcome());
  store.checked(health());
  store.heardOf(fleet());
  store.snapshot(snapshot());
});

function notices(nowMs = NOW) {
  return noticesOf(store, momentOf(store, nowMs), nowMs);
}
function told(nowMs = NOW) {
  return notices(nowMs).map(({ state }) => state);
}

test("all is well: one calm line", () => {
  expect(notices()).toEqual([expect.objectContaining({ state: "live", tone: "calm" })]);
});

test("where some devices come in and others are silent, it says how many", () => {
  store.heardOf(fleet({ total: 3, stale: 2 }));
  expect(notices()[0]).toMatchObject({
    state: "live",
    text: expect.stringContaining("3 devices, 2 of them silent"),
  });
});

test("before the server has answered, the page connects, with the number of the attempt", () => {
  store = new Store(undefined, NOW);
  expect(notices()[0].text).toContain("attempt 1");
  store.retrying();
  store.retrying();
  expect(notices()[0]).toMatchObject({ state: "connecting", text: expect.stringContaining("attempt 3") });
});

test("connection lost: since when the picture stands, and no other state pretends to hold", () => {
  store.checked(health({ rejected: { count: 1, last: null } }));
  store.lost(NOW + 500);
  expect(told(NOW + 60_000)).toEqual(["connecting"]);
  expect(notices(NOW + 60_000)[0].text).toContain(clock(NOW + 500));
  expect(momentOf(store, NOW + 60_000)?.endMs).toBe(NOW + 500);
});

test("a server that refuses the page is quoted", () => {
  store.lost(NOW);
  store.refused("too many pages from this address");
  expect(notices()[0].text).toContain("too many pages from this address");
});

test("silent for 3 intervals, at least 3 s: stale, and the axis keeps moving", () => {
  expect(told(NOW + 3_000)).toEqual(["live"]);
  expect(told(NOW + 3_001)).toEqual(["stale"]);
  expect(notices(NOW + 12_000)[0].text).toContain("silent for 12 s");
  expect(momentOf(store, NOW + 12_000)?.endMs).toBe(NOW + 12_000);
});

test("a slow device is not stale before 3 of its own intervals", () => {
  store.snapshot(snapshot({ intervalMs: 10_000 }));
  expect(told(NOW + 30_000)).toEqual(["live"]);
  expect(told(NOW + 30_001)).toEqual(["stale"]);
});

test("one silent device among several is its own trouble, all of them are everyone's", () => {
  store.heardOf(fleet({ total: 2, stale: 1 }));
  expect(told(NOW + 60_000)).toEqual(["live"]);
  store.heardOf(fleet({ total: 2, stale: 2 }));
  expect(told(NOW + 60_000)).toEqual(["stale"]);
});

test("no device at all: why, and the command that starts a producer", () => {
  store = new Store(undefined, NOW);
  store.opened();
  store.welcomed(welcome({ topics: { sensor: "readings", alert: "alert", kpi: "kpi" } }));
  store.checked(health());
  store.heardOf(fleet({ total: 0, ids: [], flags: [] }));
  const [notice] = notices();
  expect(notice.state).toBe("no-data");
  expect(notice.text).toContain('"readings"');
  expect(notice.command).toContain("npm run producer");
});

test("a server that is still catching up does not report that there is no data", () => {
  store.checked(health({ ready: false }));
  store.heardOf(fleet({ total: 0, ids: [], flags: [] }));
  expect(told()).toEqual(["connecting"]);
});

test("Kafka down: since when, data up to when; the axis stands at the loss", () => {
  store.checked(health({ kafka: { up: false, sinceMs: NOW - 9_000, dataUpToMs: NOW - 9_400 } }));
  const [notice, ...more] = notices();
  expect(more).toEqual([]);
  expect(notice).toMatchObject({ state: "kafka-down", tone: "alarm" });
  expect(notice.text).toContain(`since ${clock(NOW - 9_000)} (9 s)`);
  expect(notice.text).toContain(`data up to ${clock(NOW - 9_400)}`);
  expect(momentOf(store, NOW)?.endMs).toBe(NOW - 9_000);
});

test("a pipeline behind: which, by how much, since when; the flow itself stays live", () => {
  const [alert, ...others] = health().pipelines;
  store.checked(
    health({
      pipelines: [
        { name: "alert", state: "behind", behind: 42, sinceMs: NOW - 75_000 },
        ...(alert === undefined ? [] : others),
      ],
    }),
  );
  expect(told()).toEqual(["live", "pipeline-behind"]);
  expect(notices()[1]?.text).toContain(
    `alert has been behind since ${clock(NOW - 75_000)} (1 min 15 s), 42 records`,
  );
  expect(notices()[1]?.command).toBeUndefined();
});

test("a pipeline that nobody runs: the command that starts it", () => {
  store.checked(
    health({
      pipelines: health().pipelines.map((pipeline) => ({ ...pipeline, state: "gone", behind: null })),
    }),
  );
  expect(notices()[1]).toMatchObject({
    state: "pipeline-behind",
    command: expect.stringContaining("npm run stream-processor"),
  });
  expect(notices()[1]?.text).toContain(
    "alert, alert-count and average-temperature have not been running since ",
  );
});

test("a command that lacks what pages don't get is marked as such", () => {
  store.welcomed(welcome({ commands: { ...welcome().commands, areWhole: false } }));
  store.checked(
    health({ pipelines: health().pipelines.map((pipeline) => ({ ...pipeline, state: "gone" })) }),
  );
  expect(notices()[1]?.text).toMatch(/Start the stream processor, with this dashboard's own settings:$/);
});

test("the worst truth stands on top, and that readings come in is told only while all is well", () => {
  expect(toldOf(notices()).map(({ state }) => state)).toEqual(["live"]);
  const last = { topic: "sensor", partition: 1, offset: "7", reason: "not JSON", atMs: NOW };
  const pipelines = health().pipelines.map((pipeline) => ({ ...pipeline, state: "gone" as const }));
  store.checked(health({ rejected: { count: 1, last }, pipelines }));
  const all = [...notices(), pausedNotice(NOW, 1)] as const;
  expect(toldOf([...all]).map(({ state }) => state)).toEqual(["pipeline-behind", "bad-data", "paused"]);
  expect(toldOf([...notices(NOW + 12_000)]).map(({ state }) => state)).toEqual([
    "pipeline-behind",
    "stale",
    "bad-data",
  ]);
});

test("machines that are too hot come before whatever else is wrong", () => {
  store.heardOf(fleet({ flags: [4], eventAgeMs: [-9_000] }));
  const [live, ahead] = notices();
  for (const worst of [live, ahead ?? live, pausedNotice(NOW, 1), ...notices(NOW + 12_000)]) {
    expect(headlineOf(worst, 0)).toBe(worst);
    expect(headlineOf(worst, 2)).toEqual({ state: "in-alarm", tone: "alarm", word: "In alarm" });
  }
});

test("bad data: how many, the last with place and reason, until it leaves the chart's window", () => {
  const last = {
    topic: "sensor",
    partition: 1,
    offset: "883214",
    reason: "temperature: not a number",
    atMs: NOW,
  };
  store.checked(health({ rejected: { count: 1_204, last } }));
  expect(told()).toEqual(["live", "bad-data"]);
  const text = notices()[1]?.text;
  for (const part of ["1,204 records", "sensor[1] offset 883214", "temperature: not a number"]) {
    expect(text).toContain(part);
  }
  store.heardOf(fleet({ total: 2 }));
  expect(told(NOW + 100_001)).toEqual(["live"]);
});

test("a device whose clock is ahead is named, and by how much", () => {
  store.heardOf(fleet({ flags: [4], eventAgeMs: [-9_000] }));
  expect(notices()[1]?.text).toContain("machine-01 is ahead of the server's by 9.0 s");
  store.heardOf(fleet({ ids: ["machine-01", "machine-02"], flags: [4, 4], eventAgeMs: [-9_000, -7_000] }));
  expect(notices()[1]?.text).toContain(
    "machine-01 and 1 other are ahead of the server's, the first by 9.0 s",
  );
});
