/** The server on a real broker, with real pages: what Kafka holds is what they show. */
import { type Broker, startBroker } from "@kelvin/embedded-kafka";
import { expect, test, vi } from "vitest";
import { brokersOfTests, dashboard, deleteTopic, installation, runGroup, Sender } from "./fixtures/kafka.ts";
import { TestPage } from "./fixtures/server-and-page.ts";

const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 20_000, interval: 20 });
const tile = (page: TestPage, name: string) =>
  [...page.snapshots, ...page.batches]
    .findLast(({ kpis }) => kpis !== null)
    ?.kpis?.find((one) => one.name === name);

/** A broker of the test's own, to be stopped at its end. */
async function embedded(port: number): Promise<Broker & AsyncDisposable> {
  const broker = await startBroker({ port });
  return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.stop() });
}

test("a page shows the last 100 s of the topic at once, a second one and one after a reload the same", async () => {
  const here = installation(brokersOfTests());
  await using sender = await Sender.start(here);
  const nowMs = Date.now();
  const past = Array.from({ length: 160 }, (_, i) => ({
    device: `machine-0${1 + (i % 2)}`,
    celsius: Math.round(2_000 + 1_000 * Math.sin(i)) / 100,
    eventMs: nowMs - (160 - i) * 1_000,
  }));
  await sender.readings(past);
  await using server = await dashboard(here);
  await until(() => expect(server.ready()).toMatchObject({ ok: true }));

  const sent = [...past];
  const inWindow = (device: string, sinceMs: number) =>
    sent
      .filter((one) => one.device === device && one.eventMs >= sinceMs)
      .map(({ eventMs, celsius }) => ({ eventMs, celsius }));
  const shows = (page: TestPage, device: string, sinceMs: number) =>
    expect(page.series.filter(({ eventMs }) => eventMs >= sinceMs)).toEqual(inWindow(device, sinceMs));

  using first = TestPage.watching(server.url, "machine-01");
  await until(() => expect(first.device).toBe("machine-01"));
  expect(inWindow("machine-01", Date.now() - 100_000).length).toBeGreaterThan(40);
  shows(first, "machine-01", Date.now() - 100_000);

  for (let i = 0; i < 10; i++) {
    const reading = { device: "machine-01", celsius: 30 + i, eventMs: Date.now() };
    sent.push(reading);
    await sender.readings([reading]);
  }
  await until(() => expect(first.series.at(-1)?.celsius).toBe(39));
  using second = TestPage.watching(server.url, "machine-01");
  using other = TestPage.watching(server.url, "machine-02");
  await until(() => expect([second.device, other.device]).toEqual(["machine-01", "machine-02"]));
  const sinceMs = Date.now() - 100_000;
  for (const page of [first, second]) shows(page, "machine-01", sinceMs);
  shows(other, "machine-02", sinceMs);
  expect(second.snapshots[0]?.last).toMatchObject({ celsius: 39, change: 1, eventMs: sent.at(-1)?.eventMs });
  expect([...first.unfit, ...second.unfit, ...other.unfit]).toEqual([]);
});

test("bad records are counted with place and reason, and valid ones are still processed", async () => {
  const here = installation(brokersOfTests());
  await using sender = await Sender.start(here);
  await using server = await dashboard(here);
  using page = TestPage.watching(server.url, "machine-01");
  await until(() => expect(server.ready()).toMatchObject({ ok: true }));
  const bad = [
    Buffer.from("not JSON"),
    Buffer.from('{"device_id":"machine-01","timestamp":"2026-01-01T00:00:00Z","temperature":"hot"}'),
    Buffer.from('{"device_id":"machine-01","timestamp":"2026-01-01T00:00:00Z"}'),
    Buffer.from('{"device_id":"machine-01","timestamp":"2026-01-01T00:00:00Z","temperature":NaN}'),
    Buffer.alloc(0),
    null,
    Buffer.alloc(1_000_000, 0x7b),
  ];
  for (const value of bad) await sender.raw(value);
  await until(() => expect(page.health?.rejected.count).toBe(bad.length));
  const place = await sender.raw(Buffer.from('{"device_id":"<b>","temperature":1}'));
  await until(() => expect(page.health?.rejected.count).toBe(bad.length + 1));
  expect(page.health?.rejected.last).toMatchObject({ topic: here.topics.sensor, ...place });
  expect(page.health?.rejected.last?.reason).toContain("timestamp");
  await sender.readings([{ device: "machine-01", celsius: 21, eventMs: Date.now() }]);
  await until(() => expect(page.series.at(-1)?.celsius).toBe(21));
  expect(server.ready().ok).toBe(true);
});

test("a new device with every record drops the least recently heard and stops nothing", async () => {
  const here = installation(brokersOfTests());
  await using sender = await Sender.start(here);
  await using server = await dashboard(here);
  using page = TestPage.watching(server.url, null);
  await until(() => expect(server.ready()).toMatchObject({ ok: true }));
  for (let round = 0; round < 11; round++) {
    const flood = Array.from({ length: 1_000 }, (_, i) => ({
      device: `flood-${round}-${i}`,
      celsius: 20,
      eventMs: Date.now(),
    }));
    await sender.readings([...flood, { device: "machine-01", celsius: round, eventMs: Date.now() }]);
  }
  await until(() => expect(page.fleet).toMatchObject({ total: 10_000 }));
  expect(page.fleet?.ids).toHaveLength(1_000);
  await until(() => expect(page.health?.devicesDropped).toBe(1_001));
  page.socket.emit("watch", { device: "machine-01", have: null, spanMs: null });
  await until(() =>
    expect(page.series.map(({ celsius }) => celsius)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
  );
});

test("a tile says unknown while one of its pipelines is gone, and its number only while all are up to date", async () => {
  const here = installation(brokersOfTests());
  const { sensor, alert } = here.topics;
  await using sender = await Sender.start(here);
  await sender.readings([{ device: "machine-01", celsius: 21, eventMs: Date.now() }]);
  await using server = await dashboard(here);
  using page = TestPage.watching(server.url, "machine-01");
  await until(() => expect(tile(page, "alert_count")).toMatchObject({ state: "unknown", value: null }));
  await until(() =>
    expect(page.health?.pipelines.map(({ state }) => state)).toEqual(["gone", "gone", "gone"]),
  );

  const alertPipeline = await runGroup(here, "alert", sensor);
  await using _count = await runGroup(here, "alert-count", alert);
  await using _average = await runGroup(here, "average-temperature", sensor);
  await until(() => expect(tile(page, "alert_count")).toMatchObject({ state: "empty", value: 0 }));
  await until(() => expect(tile(page, "average_temperature")).toMatchObject({ state: "empty", value: null }));

  const tellKpis = async (count: number, endMs: number, revision: number) => {
    const window = { device_id: "machine-01", window_end: new Date(endMs).toISOString() };
    const from = (seconds: number) => ({
      window_seconds: seconds,
      window_start: new Date(endMs - seconds * 1_000).toISOString(),
    });
    await sender.kpi({ name: "alert_count", value: count, unit: "alerts", ...from(5), ...window }, revision);
    await sender.kpi(
      { name: "average_temperature", value: 24.1, unit: "celsius", ...from(10), ...window },
      revision,
    );
  };
  const endMs = Math.floor(Date.now() / 1_000) * 1_000;
  await tellKpis(3, endMs, 1);
  await tellKpis(2, endMs, 0);
  await tellKpis(9, endMs - 1_000, 5);
  await until(() => expect(tile(page, "average_temperature")).toMatchObject({ state: "value", value: 24.1 }));
  await until(() =>
    expect(tile(page, "alert_count")).toMatchObject({ state: "value", value: 3, windowEndMs: endMs }),
  );

  await alertPipeline[Symbol.asyncDispose]();
  await until(() =>
    expect(tile(page, "alert_count")).toMatchObject({ state: "unknown", value: null, because: ["alert"] }),
  );
  expect(page.health?.pipelines.map(({ state }) => state)).toEqual(["gone", "up-to-date", "up-to-date"]);
  await tellKpis(0, endMs + 1_000, 0);
  await until(() =>
    expect(tile(page, "alert_count")).toMatchObject({ windowEndMs: endMs + 1_000, state: "unknown" }),
  );
});

test("alerts are an episode, which a dead alert pipeline does not end", async () => {
  const here = installation(brokersOfTests());
  await using sender = await Sender.start(here);
  const nowMs = Date.now();
  const at = (secondsAgo: number) => nowMs - secondsAgo * 1_000;
  await sender.readings(
    [30, 40, 36, 20].map((celsius, i) => ({ device: "m", celsius, eventMs: at(30 - i) })),
  );
  for (const [i, celsius] of [30, 40, 36].entries()) await sender.alert("m", celsius, at(30 - i));
  await using server = await dashboard(here);
  using page = TestPage.watching(server.url, "m");
  const episode = () => page.alerts.at(-1)?.episodes.find(({ device }) => device === "m");
  await until(() =>
    expect(episode()).toMatchObject({
      sinceMs: at(30),
      lastMs: at(28),
      readings: 3,
      peakCelsius: 40,
      endedMs: null,
    }),
  );
  await sender.readings([{ device: "m", celsius: 20, eventMs: at(10) }]);
  await until(() => expect(page.series.at(-1)?.eventMs).toBe(at(10)));
  await until(() => expect(page.health?.pipelines[0]?.state).toBe("gone"));
  expect(episode()?.endedMs).toBeNull();
  await until(() => expect(page.fleet?.inAlarm).toBe(1));
  expect(episode()?.endedMs).toBeNull();
  await using _alert = await runGroup(here, "alert", here.topics.sensor);
  await until(() => expect(episode()).toMatchObject({ endedMs: at(10), readings: 3 }));
  await until(() => expect(page.fleet?.inAlarm).toBe(0));
});

test("a deleted topic is recreated, and the live data continues", async () => {
  const here = installation(brokersOfTests());
  await using sender = await Sender.start(here);
  await using server = await dashboard(here);
  using page = TestPage.watching(server.url, "m");
  await until(() => expect(server.ready()).toMatchObject({ ok: true }));
  await sender.readings([{ device: "m", celsius: 1, eventMs: Date.now() }]);
  await until(() => expect(page.series.at(-1)?.celsius).toBe(1));
  await deleteTopic(here.brokers, here.topics.sensor);
  let celsius = 1;
  await vi.waitFor(
    async () => {
      await sender.readings([{ device: "m", celsius: ++celsius, eventMs: Date.now() }]).catch(() => {});
      await vi.waitFor(() => expect(page.series.at(-1)?.celsius).toBe(celsius), { timeout: 1_000 });
    },
    { timeout: 40_000, interval: 100 },
  );
});

test("without a broker the page opens and shows it; the broker comes, goes and comes back", async () => {
  const before = await startBroker({ port: 0 });
  const { port } = before;
  await before.stop();
  const here = installation([`127.0.0.1:${port}`]);
  await using server = await dashboard(here);
  using page = TestPage.watching(server.url, "m");
  await until(() => expect(page.health?.kafka).toMatchObject({ up: false, dataUpToMs: null }));
  expect(server.ready().ok).toBe(false);

  const send = async (celsius: number) => {
    const eventMs = Date.now();
    await using sender = await Sender.start(here);
    await sender.readings([{ device: "m", celsius, eventMs }]);
    return eventMs;
  };
  const first = await startBroker({ port });
  await until(() => expect(page.health).toMatchObject({ ready: true, kafka: { up: true, sinceMs: null } }));
  const dataUpToMs = await send(21);
  await until(() => expect(page.series.at(-1)?.celsius).toBe(21));

  const stoppedMs = Date.now();
  await first.stop();
  await until(() => expect(page.health?.kafka).toMatchObject({ up: false, dataUpToMs }));
  expect(Date.now() - stoppedMs).toBeLessThan(3_000);
  await until(() =>
    expect(page.health?.pipelines.map(({ state }) => state)).toEqual(["unknown", "unknown", "unknown"]),
  );
  expect(page.socket.connected).toBe(true);
  expect(page.series.at(-1)?.celsius).toBe(21);

  await using _second = await embedded(port);
  await until(() => expect(page.health?.kafka.up).toBe(true));
  await send(22);
  await until(() => expect(page.series.map(({ celsius }) => celsius)).toEqual([21, 22]));
});

test("a server that stops leaves no consumer group behind", async () => {
  await using broker = await embedded(0);
  const here = installation(broker.brokers);
  const server = await dashboard(here);
  await until(() => expect(server.ready()).toMatchObject({ ok: true }));
  expect(broker.groups().map(({ groupId }) => groupId)).toHaveLength(1);
  await server[Symbol.asyncDispose]();
  expect(broker.groups()).toEqual([]);
});
