import { once } from "node:events";
import { connect, Socket } from "node:net";
import { LIVE_VERSION } from "@kelvin/schema/live";
import { type Clock, systemClock } from "@kelvin/service-kit";
import { expect, test, vi } from "vitest";
import { get, startServer, TestPage } from "./fixtures/server-and-page.ts";

/** The machine's clock, so many times faster. */
function fastClock(times: number): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now() * times,
    setTimeout: (run, delayMs) => systemClock.setTimeout(run, delayMs / times),
  };
}

const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 5_000, interval: 10 });
const watch = (device: string | null) => ({ watch: { device, have: null, spanMs: null } });

test("a page has everything after connecting, and the news as it comes", async () => {
  await using server = await startServer();
  server.hear("machine-01", 21);
  const lastMs = server.hear("machine-01", 22.5);
  using page = TestPage.watching(server.url, null);
  await until(() => expect(page.alerts).toHaveLength(1));
  expect(page.welcome).toMatchObject({
    version: LIVE_VERSION,
    boot: "boot-1",
    windowMs: 100_000,
    spansMs: [100_000, 300_000, 900_000],
    limitKelvin: 303,
  });
  expect(page.snapshots).toMatchObject([
    { device: "machine-01", next: 2, last: { celsius: 22.5, change: 1.5, eventMs: lastMs } },
  ]);
  expect(page.fleet?.ids).toEqual(["machine-01"]);
  expect(page.health).toMatchObject({ ready: true, kafka: { up: true } });
  expect(page.alerts[0]).toMatchObject({ whole: true, episodes: [] });
  server.hear("machine-01", 23);
  await until(() => expect(page.series.map(({ celsius }) => celsius)).toEqual([21, 22.5, 23]));
  expect(page.unfit).toEqual([]);
});

test("many readings are told in few messages, and none is lost", async () => {
  await using server = await startServer();
  server.hear("a", 0);
  using page = TestPage.watching(server.url, "a");
  await until(() => expect(page.snapshots).toHaveLength(1));
  const startMs = performance.now();
  let told = 0;
  await until(() => {
    for (let i = 0; i < 20; i++) server.hear("a", ++told);
    expect(told).toBeGreaterThan(700);
  });
  await until(() => expect(page.series.at(-1)?.celsius).toBe(told));
  expect(page.series.map(({ celsius }) => celsius)).toEqual(Array.from({ length: told + 1 }, (_, i) => i));
  expect(page.batches.length).toBeLessThanOrEqual(4 + (performance.now() - startMs) / 100);
});

test("two pages that watch different devices get what they watch, and a page that changes over the other", async () => {
  await using server = await startServer();
  for (const device of ["a", "b"]) server.hear(device, 20);
  using first = TestPage.watching(server.url, "a");
  using second = TestPage.watching(server.url, "b");
  await until(() => expect([first.device, second.device]).toEqual(["a", "b"]));
  server.hear("a", 21);
  server.hear("b", 31);
  await until(() => expect([first, second].map(({ series }) => series.at(-1)?.celsius)).toEqual([21, 31]));
  first.socket.emit("watch", { device: "b", have: null, spanMs: null });
  await until(() => expect(first.device).toBe("b"));
  server.hear("b", 32);
  server.hear("a", 99);
  await until(() => expect([first, second].map(({ series }) => series.at(-1)?.celsius)).toEqual([32, 32]));
  expect(
    [...first.batches, ...second.batches].filter(({ readings }) => readings.celsius.includes(99)),
  ).toEqual([]);
});

test("a page that opens before any device speaks shows the first that does", async () => {
  await using server = await startServer();
  using page = TestPage.watching(server.url, null);
  await until(() => expect(page.alerts).toHaveLength(1));
  expect(page.snapshots).toEqual([]);
  server.hear("late", 20);
  await until(() => expect(page.device).toBe("late"));
  server.hear("late", 21);
  await until(() => expect(page.series.map(({ celsius }) => celsius)).toEqual([20, 21]));
});

test("a page that comes back gets only what it missed", async () => {
  await using server = await startServer();
  for (let i = 0; i < 5; i++) server.hear("a", i);
  using page = new TestPage(server.url, {
    watch: { device: "a", have: { boot: "boot-1", next: 3 }, spanMs: null },
  });
  page.next = 3;
  await until(() => expect(page.batches).toHaveLength(1));
  expect(page.batches[0]).toMatchObject({ first: 3, readings: { celsius: [3, 4] } });
  expect(page.snapshots).toEqual([]);
});

test("a page gets as much of the past as it asks for, up to all there is, also when it was too slow meanwhile", {
  timeout: 20_000,
}, async () => {
  const past = [1_000_000, 800_000, 250_000, 50_000].map((agoMs) => ({ celsius: agoMs / 1_000, agoMs }));
  await using server = await startServer({}, undefined, past);
  const told = (page: TestPage) => page.snapshots.at(-1)?.readings.celsius;
  using page = new TestPage(server.url, { watch: { device: "a", have: null, spanMs: 300_000 } });
  await until(() => expect(told(page)).toEqual([250, 50]));
  page.socket.emit("watch", { device: "a", have: null, spanMs: null });
  await until(() => expect(told(page)).toEqual([50]));
  page.socket.emit("watch", { device: "a", have: null, spanMs: 1e12 });
  await until(() => expect(told(page)).toEqual([800, 250, 50]));
  expect(page.snapshots.at(-1)?.spanMs).toBe(900_000);
  page.answers = false;
  await vi.waitFor(
    async () => expect(await server.metrics()).toContain('slow_clients_total{service="test"} 1'),
    { timeout: 6_000 },
  );
  const before = page.snapshots.length;
  page.socket.emit("ack", { fleetMs: page.fleet?.nowMs ?? 0 });
  await until(() => expect(page.snapshots.length).toBeGreaterThan(before));
  expect(told(page)).toEqual([800, 250, 50]);
  using late = new TestPage(server.url, { watch: { device: null, have: null, spanMs: 300_000 } });
  await until(() => expect(told(late)).toEqual([250, 50]));
});

test("it works by polling as well", async () => {
  await using server = await startServer();
  server.hear("a", 20);
  using page = TestPage.watching(server.url, "a", { transports: ["polling"] });
  await until(() => expect(page.device).toBe("a"));
  server.hear("a", 21);
  await until(() => expect(page.series).toHaveLength(2));
});

test("both loopbacks answer", async () => {
  await using server = await startServer();
  server.hear("a", 20);
  const { port } = new URL(server.url);
  for (const host of ["127.0.0.1", "[::1]"]) {
    using page = TestPage.watching(`http://${host}:${port}`, "a");
    await until(() => expect(page.device).toBe("a"));
  }
});

test("alerts come as episodes: all at first, then the changed one", async () => {
  await using server = await startServer();
  const alert = (eventMs: number, celsius: number) =>
    server.state.alert(
      { device_id: "a", celsius, fahrenheit: 0, kelvin: 0, timestamp: new Date(eventMs).toISOString() },
      { partition: 0, offset: 0, eventMs },
    );
  alert(1_000, 36);
  using page = TestPage.watching(server.url, "a");
  await until(() => expect(page.alerts).toMatchObject([{ whole: true, episodes: [{ readings: 1 }] }]));
  alert(2_000, 40);
  await until(() =>
    expect(page.alerts.at(-1)).toMatchObject({ whole: false, episodes: [{ readings: 2, peakCelsius: 40 }] }),
  );
});

test("rejected records and pipelines are told at once", async () => {
  await using server = await startServer();
  using page = TestPage.watching(server.url, null);
  await until(() => expect(page.health?.rejected.count).toBe(0));
  server.state.reject({ topic: "sensor", partition: 2, offset: 7, reason: "x".repeat(100_000) });
  await until(() =>
    expect(page.health?.rejected).toMatchObject({ count: 1, last: { partition: 2, offset: "7" } }),
  );
  expect(page.health?.rejected.last?.reason.length).toBeLessThan(500);
  server.state.pipelineSeen("alert", { isRun: false, positions: new Map(), ends: new Map([[0, 0]]) });
  await until(() => expect(page.health?.pipelines[0]).toMatchObject({ name: "alert", state: "gone" }));
  server.state.kafkaSeen(Date.now());
  await until(() => expect(page.health?.kafka.up).toBe(false));
});

test("a device id is text to us, whatever it says", async () => {
  await using server = await startServer();
  for (const device of [
    "<img src=x onerror=alert(1)>",
    "__proto__",
    "constructor",
    "device:a",
    "alerts",
    "\u202emoc.live//:ptth\u2066 آلة-٧",
    "😀".repeat(32),
    "x".repeat(64),
    "\u0000\u001b[31m\ud800",
    " ",
  ]) {
    server.hear(device, 20);
    using page = TestPage.watching(server.url, device);
    await until(() => expect(page.device).toBe(device));
    server.hear(device, 21);
    await until(() => expect(page.series.at(-1)?.celsius).toBe(21));
    expect(page.alerts.every(({ whole }) => whole)).toBe(true);
  }
});

test("a foreign page may not connect, by websocket or by polling, nor under a foreign name", async () => {
  await using server = await startServer();
  const polling = `${server.url}/socket.io/?EIO=4&transport=polling`;
  expect((await get(polling, { origin: "http://evil.example" })).status).toBe(403);
  expect((await get(polling, { host: "rebound.example" })).status).toBe(403);
  const own = await get(polling, { origin: server.url });
  expect(own.status).toBe(200);
  expect(own.headers["access-control-allow-origin"]).toBeUndefined();
  for (const extraHeaders of [{ origin: "http://evil.example" }, { host: "rebound.example" }]) {
    using page = new TestPage(server.url, watch(null), { extraHeaders });
    await page.event("connect_error");
    expect(page.welcome).toBeUndefined();
  }
  expect(await server.metrics()).toMatch(/kelvin_dashboard_refused_connections_total\S* 4/);
});

test("an origin that a setting names may connect", async () => {
  await using server = await startServer({ allowedOrigins: ["https://dashboard.example.com"] });
  const extraHeaders = { origin: "https://dashboard.example.com", host: "dashboard.example.com" };
  using page = new TestPage(server.url, watch(null), { extraHeaders });
  await until(() => expect(page.welcome).toBeDefined());
});

test("a handshake without the contract is refused in words", async () => {
  await using server = await startServer();
  for (const auth of [{}, { watch: { device: 7, have: null, spanMs: null } }, { watch: "a" }]) {
    using page = new TestPage(server.url, auth);
    expect(String(await page.event("connect_error"))).toContain("reload the page");
  }
});

test("malformed messages are ignored, and too many of them end the connection; others notice nothing", async () => {
  await using server = await startServer();
  server.hear("a", 20);
  using good = TestPage.watching(server.url, "a");
  using bad = TestPage.watching(server.url, "a");
  await until(() => expect([good.device, bad.device]).toEqual(["a", "a"]));
  const raw = (event: string, ...parts: unknown[]) =>
    Reflect.apply(bad.socket.emit, bad.socket, [event, ...parts]);
  raw("watch");
  raw("watch", { device: { $ne: 1 }, have: null, spanMs: null });
  raw("watch", { device: "x".repeat(65), have: null, spanMs: null });
  raw("fleet", { ids: [] });
  raw("watch", Buffer.from("a"), "b");
  server.hear("a", 21);
  await until(() => expect(bad.series.at(-1)?.celsius).toBe(21));
  expect(bad.socket.connected).toBe(true);
  raw("nonsense");
  await bad.event("disconnect");
  expect(bad.goodbye).toMatchObject({ why: "bad-messages" });
  server.hear("a", 22);
  await until(() => expect(good.series.at(-1)?.celsius).toBe(22));
});

test("an oversized message ends the connection of who sent it", async () => {
  await using server = await startServer();
  using page = TestPage.watching(server.url, null);
  await until(() => expect(page.welcome).toBeDefined());
  page.socket.emit("watch", { device: "a".repeat(20_000), have: null, spanMs: null });
  await page.event("disconnect");
  using next = TestPage.watching(server.url, null);
  await until(() => expect(next.welcome).toBeDefined());
});

test("bytes that are no HTTP and no websocket do no harm", async () => {
  await using server = await startServer();
  const { port } = new URL(server.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n\r\n\u0000\u0001",
  );
  await once(socket.resume(), "close");
  using page = TestPage.watching(server.url, null);
  await until(() => expect(page.welcome).toBeDefined());
});

test("only so many pages are let in, in all and from one address", async () => {
  await using server = await startServer({ maxClients: 2 });
  using first = TestPage.watching(server.url, null);
  using second = TestPage.watching(server.url, null);
  await until(() => expect([first.welcome, second.welcome]).not.toContain(undefined));
  using third = TestPage.watching(server.url, null);
  await third.event("connect_error");
  first.socket.disconnect();
  await vi.waitFor(
    async () => {
      using fourth = TestPage.watching(server.url, null);
      await vi.waitFor(() => expect(fourth.welcome).toBeDefined(), { timeout: 300, interval: 10 });
    },
    { timeout: 5_000 },
  );
  await using strict = await startServer({ maxClientsPerAddress: 1 });
  using one = TestPage.watching(strict.url, null);
  await until(() => expect(one.welcome).toBeDefined());
  using two = TestPage.watching(strict.url, null);
  await two.event("connect_error");
});

/** The network's end of a page's connection, to be stalled. */
function networkOf(page: TestPage): { pause(): void; resume(): void } {
  const engine: unknown = Reflect.get(page.socket.io.engine, "transport");
  const ws: unknown = typeof engine === "object" && engine !== null ? Reflect.get(engine, "ws") : undefined;
  const network: unknown = typeof ws === "object" && ws !== null ? Reflect.get(ws, "_socket") : undefined;
  if (!(network instanceof Socket)) throw new TypeError("the client's network socket is elsewhere");
  return network;
}

test("a page that takes nothing is cut off from the flow and costs the others nothing", {
  timeout: 20_000,
}, async () => {
  await using server = await startServer();
  server.hear("a", 20);
  using good = TestPage.watching(server.url, "a");
  using stalled = TestPage.watching(server.url, "a");
  await until(() => expect([good.device, stalled.device]).toEqual(["a", "a"]));
  const network = networkOf(stalled);
  network.pause();
  // What it asks for fills its connection; then the flow has no way any more.
  let celsius = 20.123456789012;
  for (let i = 0; i < 19_000; i++) server.hear("a", ++celsius);
  for (let i = 0; i < 15; i++) stalled.socket.emit("watch", { device: "a", have: null, spanMs: null });
  await vi.waitFor(
    async () => {
      for (let i = 0; i < 100; i++) server.hear("a", ++celsius);
      expect((await server.metrics()).includes('slow_clients_total{service="test"} 1')).toBe(true);
    },
    { timeout: 15_000, interval: 20 },
  );
  await until(() => expect(good.series.at(-1)?.celsius).toBe(celsius));
  network.resume();
  await until(() => expect(stalled.series.at(-1)?.celsius).toBe(celsius));
  expect(stalled.socket.connected).toBe(true);
  expect(stalled.unfit).toEqual([]);
});

test("a page that says nothing gets alerts but no readings, and one snapshot when it speaks again", {
  timeout: 20_000,
}, async () => {
  await using server = await startServer();
  server.hear("a", 0);
  using silent = TestPage.watching(server.url, "a");
  silent.answers = false;
  using good = TestPage.watching(server.url, "a");
  await until(() => expect([silent.device, good.device]).toEqual(["a", "a"]));
  await vi.waitFor(
    async () => expect(await server.metrics()).toContain('slow_clients_total{service="test"} 1'),
    {
      timeout: 6_000,
    },
  );
  const batches = silent.batches.length;
  for (let i = 1; i <= 10; i++) server.hear("a", i);
  silent.socket.emit("watch", { device: "a", have: null, spanMs: null });
  silent.socket.emit("watch", { device: "a", have: null, spanMs: null });
  const eventMs = Date.now();
  server.state.alert(
    { device_id: "a", celsius: 36, fahrenheit: 0, kelvin: 0, timestamp: new Date(eventMs).toISOString() },
    { partition: 0, offset: 0, eventMs },
  );
  await until(() =>
    expect(silent.alerts.at(-1)).toMatchObject({ whole: false, episodes: [{ readings: 1 }] }),
  );
  // Messages come in order: what was on its way when the valve shut has come before the alert.
  const fleetMs = silent.fleet?.nowMs ?? 0;
  await until(() => expect(good.fleet?.nowMs).toBeGreaterThan(fleetMs));
  await until(() => expect(good.series.at(-1)?.celsius).toBe(10));
  expect(silent.batches).toHaveLength(batches);
  expect(silent.snapshots).toHaveLength(1);
  expect(silent.fleet?.nowMs).toBe(fleetMs);

  silent.answers = true;
  silent.socket.emit("ack", { fleetMs });
  await until(() => expect(silent.series.map(({ celsius }) => celsius)).toEqual([...Array(11).keys()]));
  expect(silent.snapshots).toHaveLength(2);
  server.hear("a", 11);
  await until(() => expect(silent.series.at(-1)?.celsius).toBe(11));
  expect(silent.snapshots).toHaveLength(2);
  expect([...silent.unfit, ...good.unfit]).toEqual([]);
});

test("a stall of the server itself is no page's slowness", { timeout: 20_000 }, async () => {
  let skippedMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs };
  await using server = await startServer({ clock });
  using page = TestPage.watching(server.url, null);
  await until(() => expect(page.fleet).toBeDefined());
  // An answer is on its way when everything stands still, and is not read before the next look at who is late.
  page.answers = false;
  const unansweredMs = page.fleet?.nowMs ?? 0;
  await until(() => expect(page.fleet?.nowMs).toBeGreaterThan(unansweredMs));
  skippedMs += 40_000;
  const duringMs = page.fleet?.nowMs ?? 0;
  await until(() => expect(page.fleet?.nowMs).toBeGreaterThan(duringMs));
  page.answers = true;
  page.socket.emit("ack", { fleetMs: page.fleet?.nowMs ?? 0 });
  const afterMs = page.fleet?.nowMs ?? 0;
  await until(() => expect(page.fleet?.nowMs).toBeGreaterThan(afterMs));
  // Longer than the 30 s after which a page is disconnected; a crowded machine may well make it slow for a moment.
  expect(page.goodbye).toBeUndefined();
  expect(page.socket.connected).toBe(true);
});

test("a page that has sent nothing for 30 s is told why and disconnected; the others stay", {
  timeout: 40_000,
}, async () => {
  const clock = fastClock(10);
  await using server = await startServer({ clock });
  using silent = TestPage.watching(server.url, null);
  silent.answers = false;
  using good = TestPage.watching(server.url, null);
  expect(await silent.event("disconnect")).toMatch(/server disconnect|transport close/);
  expect(silent.goodbye).toMatchObject({ why: "too-slow" });
  expect(await server.metrics()).toContain('hung_up_clients_total{service="test"} 1');
  expect(good.socket.connected).toBe(true);
});

test("one that does not even accept the disconnect is disconnected all the same", {
  timeout: 40_000,
}, async () => {
  await using server = await startServer({ clock: fastClock(10) });
  server.hear("a", 20);
  using stalled = TestPage.watching(server.url, "a");
  await until(() => expect(stalled.device).toBe("a"));
  networkOf(stalled).pause();
  await vi.waitFor(
    async () => expect(await server.metrics()).toContain('dashboard_clients{service="test"} 0'),
    {
      timeout: 30_000,
    },
  );
});

test("the last 100 s of each device come once, in short", async () => {
  await using server = await startServer();
  server.hear("a", 21.57);
  using page = TestPage.watching(server.url, "a");
  await until(() => expect(page.trends).toMatchObject({ stepMs: 5_000, ids: ["a"] }));
  expect(page.trends?.deciCelsius[0]).toEqual([...Array(19).fill(null), 216]);
});

test("thousands of connections from one address that never say what they want keep no other address out", {
  timeout: 60_000,
}, async () => {
  await using server = await startServer({ maxClients: 60, maxClientsPerAddress: 50 });
  const polling = `${server.url}/socket.io/?EIO=4&transport=polling`;
  let refused = 0;
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => get(`${polling}&xsid=${i}`)));
    refused += answers.filter(({ status }) => status === 403).length;
  }
  expect(refused).toBe(2_000 - 50);
  const { port } = new URL(server.url);
  using other = TestPage.watching(`http://[::1]:${port}`, null);
  await until(() => expect(other.welcome).toBeDefined());
});

test("closing the server tells the pages", async () => {
  const server = await startServer();
  using page = TestPage.watching(server.url, null);
  await until(() => expect(page.welcome).toBeDefined());
  const gone = page.event("disconnect");
  await server[Symbol.asyncDispose]();
  await gone;
  expect(page.goodbye).toMatchObject({ why: "closing" });
});
