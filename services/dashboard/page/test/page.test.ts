/** The built page in a real Chromium, with a server that says what each test wants to be true. */
import { FLAG, type PipelineHealth } from "@kelvin/schema/live";
import { isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import {
  episodeOf,
  eventually,
  isIn,
  NEWER_VERSION,
  series,
  shows,
  tabsInChromium,
  text,
  told,
  wordsOf,
} from "./browser.ts";
import { fleetOf } from "./live-server.ts";

describe.skipIf(isChromiumMissing)("the page in Chromium (skipped where there is none)", () => {
  const { open, serverAt } = tabsInChromium();

  test("value, change and tiles are there at once, and follow the newest reading", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    expect(await wordsOf(page.locator("h1"))).toBe("Real-Time IoT Dashboard");
    expect(await text(page, "device")).toBe("machine-01");
    server.say(20);
    server.say(36.9);
    await shows(page, "value", /^36\.90\s*°C$/);
    expect(await text(page, "change")).toBe("▲ +16.90 °C");
    expect(await page.getByTestId("reading").getAttribute("data-state")).toBe("high");
    expect(await text(page, "tile-alert_count-value")).toBe("0");
    expect(await text(page, "tile-average_temperature-value")).toBe("21.13 °C");
    const [alerts, average] = await Promise.all(
      ["tile-alert_count", "tile-average_temperature"].map((id) => page.getByTestId(id).boundingBox()),
    );
    expect(alerts?.y).toBe(average?.y);
  });

  test("the first picture waits for no socket, is fetched once, and counts only as long as the socket may take", async () => {
    const { page, server } = await open({}, { query: "?device=machine-01" });
    await isIn(page, "live");
    expect(server.openings).toBe(1);
    // The socket begins where the first picture ends.
    expect(server.watches).toEqual([
      { device: "machine-01", have: { boot: "boot-1", next: 100 }, spanMs: null },
    ]);
    server.hangs = true;
    await page.reload();
    await isIn(page, "live");
    expect(await page.getByTestId("chart").getAttribute("data-state")).toBe("live");
    expect(server.watches).toHaveLength(1);
    await isIn(page, "connecting");
  });

  test("a device chosen while the socket is being opened is the one that is shown", async () => {
    const devices = ["machine-01", "machine-02"].map((id) => ({ id, celsius: 20 }));
    const { page, server } = await open({ fleet: fleetOf(devices) });
    await isIn(page, "live");
    server.hangs = true;
    await page.reload();
    await eventually(() => server.hanging.length).toBe(1);
    await page.locator("[data-device=machine-02] a").click();
    await eventually(() => new URL(page.url()).search).toBe("?device=machine-02");
    server.hangs = false;
    for (const letIn of server.hanging) letIn();
    await shows(page, "device", "machine-02");
  });

  test("the first reading of all has no change", async () => {
    const { page, server } = await open({
      readings: [],
      fleet: fleetOf([{ id: "machine-01", celsius: 20 }]),
    });
    server.say(20.5);
    await shows(page, "value", /^20\.50/);
    expect(await text(page, "change")).toBe("");
  });

  test("the series is what was told, after a reload and in a second tab as well", async () => {
    const { page, server } = await open();
    await eventually(async () => (await series(page)).length).toBeGreaterThan(90);
    for (let i = 0; i < 20; i++) server.say(20 + i / 10);
    // From a fixed moment on that stays in the window of 100 s, however slow the machine is just now.
    const fromMs = Date.now() - 40_000;
    const wanted = () => server.world.readings.filter(({ timeMs }) => timeMs >= fromMs);
    const recent = async (tab: Page) => (await series(tab)).filter(({ timeMs }) => timeMs >= fromMs);
    await eventually(() => recent(page)).toEqual(wanted());
    await page.reload();
    await eventually(() => recent(page)).toEqual(wanted());
    const second = await page.context().newPage();
    await second.goto(server.url);
    await eventually(() => recent(second)).toEqual(wanted());
  });

  test("a gap in the positions is asked for again, and filled", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    server.world.readings.push({ timeMs: Date.now(), celsius: 11 }, { timeMs: Date.now(), celsius: 12 });
    server.next += 2;
    server.say(13);
    await expect
      .poll(async () => (await series(page)).slice(-3).map(({ celsius }) => celsius))
      .toEqual([11, 12, 13]);
    expect(server.watches.at(-1)).toEqual({
      device: "machine-01",
      have: { boot: "boot-1", next: 100 },
      spanMs: null,
    });
  });

  test("messages that don't fit the contract are counted and change nothing", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    const before = await text(page, "value");
    server.babble();
    await eventually(() => page.evaluate(() => window.__kelvin?.counters().misfits)).toBe(6);
    expect(await text(page, "value")).toBe(before);
    await isIn(page, "live");
  });

  test("the server goes and comes: connecting with the attempt, the old chart greyed, then live again", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    const { port } = server;
    await server.stop();
    await isIn(page, "connecting");
    await eventually(() => wordsOf(told(page, "connecting"))).toMatch(/attempt [2-9]/);
    expect(await page.getByTestId("chart").getAttribute("data-state")).toBe("frozen");
    expect(await text(page, "tile-alert_count-value")).toBe("unknown");
    expect(await page.title()).toBe("Connecting · Real-Time IoT Dashboard");
    const again = await serverAt(port, server.world);
    await isIn(page, "live");
    expect(again.watches[0]).toMatchObject({
      device: "machine-01",
      have: { boot: "boot-1", next: 100 },
      spanMs: null,
    });
  });

  test("a server that turns the page away is quoted, and asked again", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    server.refusal = "too many pages from this address";
    server.disconnect();
    await eventually(() => wordsOf(told(page, "connecting"))).toContain(server.refusal);
    server.refusal = undefined;
    await isIn(page, "live");
  });

  test("each fleet summary is acknowledged; a server that disconnects says why, and the page reconnects", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    // What the page was opened with may be shown before its socket is there.
    await eventually(() => server.acks.length).toBe(1);
    const fleet = fleetOf([{ id: "machine-01", celsius: 21 }]);
    server.tell({ fleet });
    await eventually(() => server.acks.length).toBe(2);
    expect(server.acks[1]).toBe(fleet.nowMs);
    server.refusal = "later";
    server.disconnect("too-slow");
    await eventually(() => wordsOf(told(page, "connecting"))).toContain("too slow for half a minute");
    server.refusal = undefined;
    await isIn(page, "live");
  });

  test.each([
    ["with another version", { version: NEWER_VERSION }],
    ["that says what this page does not know", { windowMs: Number.NaN }],
  ])("a server %s: the page reloads itself once, and then shows it", async (_, welcome) => {
    const { page, server } = await open({ welcome });
    await eventually(() => told(page, "outdated").count()).toBe(1);
    expect(server.watches).toHaveLength(2);
  });

  test("a device that falls silent is stale, with its age; the line is not drawn on", async () => {
    const { page, server } = await open({ intervalMs: 1_000 });
    await isIn(page, "stale");
    await shows(page, "verdict", /^No reading for \d+ s$/);
    expect(await page.getByTestId("chart").getAttribute("data-state")).toBe("stale");
    expect(await page.title()).toMatch(/^Stale · /);
    server.world.intervalMs = 20_000;
    server.say(21);
    await isIn(page, "live");
  });

  test("no data says why, and how to start a producer; the first reading ends it", async () => {
    const { page, server } = await open({ silent: true, readings: [] });
    await isIn(page, "no-data");
    const words = await wordsOf(told(page, "no-data"));
    expect(words).toContain('topic "sensor"');
    expect(words).toContain("npm run producer");
    server.world.silent = false;
    server.say(21);
    server.tell({ fleet: fleetOf([{ id: "machine-01", celsius: 21 }]) });
    await isIn(page, "live");
  });

  test("Kafka down: since when, data up to when, tiles unknown; then live again", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    const sinceMs = Date.now() - 2_000;
    server.tell({ health: { kafka: { up: false, sinceMs, dataUpToMs: sinceMs - 400 } } });
    await isIn(page, "kafka-down");
    expect(await wordsOf(told(page, "kafka-down"))).toMatch(
      /unreachable since \d\d:\d\d:\d\d \(\d+ s\)\. Showing data up to \d\d:\d\d:\d\d\./,
    );
    expect(await text(page, "tile-average_temperature-value")).toBe("unknown");
    server.tell({ health: { kafka: { up: true, sinceMs: null, dataUpToMs: null } } });
    server.say(21);
    await isIn(page, "live");
  });

  test("a pipeline behind: which, by how much, since when; its tile is unknown, not 0", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    const pipelines: PipelineHealth[] = server
      .health()
      .pipelines.map((pipeline) =>
        pipeline.name === "alert" ? { ...pipeline, state: "gone", behind: 42 } : pipeline,
      );
    server.tell({
      health: { pipelines },
      fleet: fleetOf([
        { id: "machine-01", celsius: 20, flags: FLAG.inAlarm },
        { id: "machine-02", celsius: 20 },
      ]),
      episodes: [episodeOf("machine-01")],
      kpis: [
        { name: "alert_count", state: "unknown", value: null, windowEndMs: null, because: ["alert"] },
        { name: "average_temperature", state: "value", value: 21, windowEndMs: Date.now(), because: [] },
      ],
    });
    await isIn(page, "pipeline-behind");
    await eventually(() => told(page, "pipeline-behind").count()).toBe(1);
    expect(await wordsOf(told(page, "pipeline-behind"))).toMatch(
      /alert has not been running since .*42 records left/,
    );
    await shows(page, "tile-alert_count-value", "unknown");
    expect(await text(page, "tile-average_temperature-value")).toBe("21.00 °C");
    // Nothing of it can be known now: neither that the alert is open, nor that it is over.
    await eventually(() => page.getByTestId("episode").getAttribute("data-state")).toBe("unknown");
    expect(await text(page, "episodes")).toMatch(/^Unknown machine-01.*since \d\d:\d\d:\d\d; high from/);
    await shows(page, "verdict", /^Alert unknown since \d\d:\d\d:\d\d$/);
    expect(await text(page, "alarm-count")).toBe("unknown");
    const row = page.locator("[data-testid=device-row][data-device=machine-01]");
    expect(await row.getAttribute("data-state")).toBe("unknown");
    expect(await page.title()).toBe("Pipeline behind · Real-Time IoT Dashboard");
    server.tell({ episodes: [] });
    await shows(page, "alerts-none", /^Unknown since .*: alert is not running\.$/);

    server.tell({ health: { pipelines: pipelines.map((one) => ({ ...one, state: "up-to-date" })) } });
    server.tell({ episodes: [episodeOf("machine-01")] });
    await isIn(page, "in-alarm");
    await eventually(() => page.getByTestId("episode").getAttribute("data-state")).toBe("ongoing");
    expect(await page.title()).toBe("▲ 1 device in alarm · Real-Time IoT Dashboard");
  });

  test("the state in the bar is the alarm, whatever lesser trouble there is; then that, with its own word", async () => {
    const device = (flags: number) => [{ id: "machine-01", celsius: 20, flags, eventAgeMs: -9_000 }];
    const { page, server } = await open({ fleet: fleetOf(device(FLAG.ahead)) });
    await isIn(page, "clock-ahead");
    server.tell({ fleet: fleetOf(device(FLAG.ahead | FLAG.inAlarm)), episodes: [episodeOf("machine-01")] });
    await isIn(page, "in-alarm");
    expect(await text(page, "status")).toBe("In alarm");
    expect(await page.getByTestId("status").getAttribute("data-tone")).toBe("alarm");
    expect(await told(page, "clock-ahead").count()).toBe(1);
    await page.getByTestId("pause").click();
    await eventually(() => told(page, "paused").count()).toBe(1);
    await isIn(page, "in-alarm");
    server.tell({ fleet: fleetOf(device(FLAG.ahead)), episodes: [] });
    await isIn(page, "clock-ahead");
    expect(await text(page, "status")).toBe("Clock ahead");
  });

  test("bad data is counted, with the last reason and its position; valid data is still processed", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    const last = { topic: "sensor", partition: 1, offset: "883214", reason: "<img src=x>", atMs: Date.now() };
    server.tell({ health: { rejected: { count: 1_204, last } } });
    await shows(page, "tile-rejected-value", "1,204");
    expect(await wordsOf(told(page, "bad-data"))).toContain("sensor[1] offset 883214, <img src=x>");
    server.say(25);
    await shows(page, "value", /^25\.00/);
  });

  test("hostile device ids are text, everywhere", async () => {
    const hostile = `<img src=x onerror="document.title='owned'">`;
    const readings = [{ timeMs: Date.now(), celsius: 20 }];
    const { page, server } = await open({
      device: hostile,
      readings,
      fleet: fleetOf([
        { id: hostile, celsius: 20, flags: FLAG.inAlarm | FLAG.ahead, eventAgeMs: -9_000 },
        { id: "'; </script><script>document.title='owned'", celsius: 20 },
      ]),
      episodes: [episodeOf(hostile)],
    });
    await shows(page, "device", hostile);
    await eventually(() => text(page, "episodes")).toContain(hostile);
    server.tell({ episodes: [episodeOf(hostile), { ...episodeOf(hostile), id: "2" }] });
    await eventually(() => page.getByTestId("announcer").textContent()).toContain(hostile);
    expect(await page.locator("img, script:not([src])").count()).toBe(0);
    expect(await page.title()).not.toContain("owned");
  });

  test("numbers and times beyond all measure break nothing, and the next good reading is shown", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    for (const celsius of [1e308, -1e308]) {
      server.say(celsius);
      await shows(page, "value", celsius > 0 ? "1.00e+308" : "−1.00e+308");
    }
    for (const timeMs of [8.64e15, -8.64e15, 1e300]) server.say(20, timeMs);
    server.say(25);
    await shows(page, "value", /^25\.00/);
    expect((await series(page)).at(-1)?.celsius).toBe(25);
    for (const unit of ["°F", "K"]) await page.getByRole("radio", { name: unit }).check();
    await shows(page, "value", /^298\.15/);
    const overhang = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overhang).toBe(0);
  });

  test("units and theme change all numbers, and stay in the address", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    server.say(36.9);
    await shows(page, "value", /^36\.90/);
    await page.getByRole("radio", { name: "°F" }).check();
    await shows(page, "value", /^98\.42\s*°F$/);
    expect(await text(page, "tile-average_temperature-value")).toBe("70.03 °F");
    await page.getByTestId("theme").click();
    expect(new URL(page.url()).search).toBe("?unit=fahrenheit&theme=light");
    await page.reload();
    await shows(page, "value", /^98\.42\s*°F$/);
    expect(await page.locator("html").getAttribute("data-theme")).toBe("light");
  });

  test("several devices: worst first, searched, chosen by click, key and address; back returns", async () => {
    const { page, server } = await open({
      fleet: fleetOf([
        { id: "oven", celsius: 39, flags: FLAG.inAlarm },
        { id: "fridge", celsius: 4, flags: FLAG.stale, heardAgeMs: 14_000 },
        { id: "machine-01", celsius: 20 },
        { id: "machine-02", celsius: 21 },
      ]),
    });
    const rows = page.getByTestId("device-row");
    await eventually(() => rows.count()).toBe(4);
    expect(await rows.evaluateAll((all) => all.map((row) => row.getAttribute("data-state")))).toEqual([
      "high",
      "stale",
      "ok",
      "ok",
    ]);
    await page.getByTestId("search").fill("MACHINE");
    await eventually(() => rows.count()).toBe(2);
    await page.getByTestId("search").fill("");
    await rows.nth(0).click();
    await shows(page, "device", "oven");
    expect(new URL(page.url()).search).toBe("?device=oven");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await shows(page, "device", "fridge");
    await page.goBack();
    await shows(page, "device", "oven");
    // The first was chosen by the server.
    await page.goBack();
    await shows(page, "device", "machine-01");
    await page.goForward();
    await shows(page, "device", "oven");
    await page.reload();
    await eventually(() => server.watches.at(-1)).toEqual({
      device: "oven",
      have: { boot: "boot-1", next: 100 },
      spanMs: null,
    });
  });

  test("paused: the value is frozen, new readings are counted, alerts continue; then everything is shown", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    server.say(21);
    await shows(page, "value", /^21\.00/);
    await page.getByTestId("pause").click();
    server.say(22);
    server.say(23);
    await shows(page, "pause", /Resume, 2 new/);
    expect(await text(page, "value")).toMatch(/^21\.00/);
    expect(await told(page, "paused").count()).toBe(1);
    await isIn(page, "paused");
    server.tell({ episodes: [episodeOf("machine-01")] });
    await eventually(() => page.getByTestId("episode").count()).toBe(1);
    await page.getByTestId("pause").click();
    await shows(page, "value", /^23\.00/);
    expect(await told(page, "paused").count()).toBe(0);
  });

  test("the chart's numbers are reached by keys, and as a table", async () => {
    const { page, server } = await open();
    server.say(33.33);
    await shows(page, "value", /^33\.33/);
    await page.locator(".canvas").focus();
    await page.keyboard.press("ArrowLeft");
    await shows(page, "readout", /^\d\d:\d\d:\d\d\.\d{3}\s+33\.33 °C$/);
    await page.keyboard.press("Escape");
    await shows(page, "readout", /^lowest .*, highest 33\.33 °C$/);
    await page.getByText("Readings as a table").click();
    const first = page.locator("tbody tr").first();
    await eventually(() => wordsOf(first)).toMatch(/33\.33 °C\s*above/);
  });

  test("an open table leaves the chart its height, and says how many readings it does not list", async () => {
    const nowMs = Date.now();
    const readings = Array.from({ length: 2_000 }, (_, i) => ({
      timeMs: nowMs - (1_999 - i) * 400,
      celsius: 20,
    }));
    const { page } = await open({ readings }, { query: "?span=900" });
    await isIn(page, "live");
    await page.getByText("Readings as a table").click();
    const rows = page.locator("tbody tr");
    await eventually(() => rows.count()).toBe(501);
    expect(await wordsOf(rows.last())).toBe("1,500 older readings not listed");
    expect((await page.locator(".canvas").boundingBox())?.height).toBeGreaterThan(120);
  });

  test("nothing but the tab's title is drawn while the page is hidden, and at most a few times a second while nothing comes", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    const drawsIn = (ms: number) =>
      page.evaluate(async (lasts) => {
        let draws = 0;
        const context = document.querySelector("canvas")?.getContext("2d");
        if (!context) return -1;
        const original = context.clearRect.bind(context);
        context.clearRect = (...area) => {
          draws++;
          original(...area);
        };
        await new Promise((resolve) => {
          setTimeout(resolve, lasts);
        });
        context.clearRect = original;
        return draws;
      }, ms);
    const seen = await drawsIn(2_000);
    expect(seen).toBeGreaterThan(3);
    expect(seen).toBeLessThan(14);
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    expect(await drawsIn(1_000)).toBeLessThanOrEqual(1);
    // Its tab still shows the state.
    for (const flags of [FLAG.inAlarm, 0]) {
      // A summary comes once a second.
      await eventually(() => {
        server.tell({ fleet: fleetOf([{ id: "machine-01", celsius: 20, flags }]) });
        return page.title();
      }).toBe(`${flags === 0 ? "" : "▲ 1 device in alarm · "}Real-Time IoT Dashboard`);
    }
    await isIn(page, "live");
  });

  test("the script is small enough", async () => {
    const { page } = await open();
    const sizes = await page.evaluate(async () => {
      let bytes = 0;
      for (const script of document.scripts) {
        const zipped = (await fetch(script.src)).body?.pipeThrough(new CompressionStream("gzip"));
        bytes += (await new Response(zipped).arrayBuffer()).byteLength;
      }
      return bytes;
    });
    expect(sizes).toBeGreaterThan(10_000);
    expect(sizes).toBeLessThan(120_000);
  });
});
