/** What is drawn of the readings, and what a pointer and a phone get of it. */
import { isChromiumMissing } from "@kelvin/test-kit";
import { describe, expect, test } from "vitest";
import { eventually, isIn, PHONE, series, shows, tabsInChromium, text, told } from "./browser.ts";
import { rowsAcross, rowsOf } from "./drawn.ts";
import { calmReadings, fleetOf } from "./live-server.ts";

describe.skipIf(isChromiumMissing)("the chart in Chromium (skipped where there is none)", () => {
  const { open } = tabsInChromium();

  test("a pause in the readings is a gap in the line, and the line ends with the last reading", async () => {
    const nowMs = Date.now();
    const spoken = calmReadings(nowMs).filter(({ timeMs }) => {
      const agoMs = nowMs - timeMs;
      return agoMs > 60_000 || (agoMs > 30_000 && agoMs < 45_000);
    });
    const { page } = await open({ readings: spoken, intervalMs: 1_000 });
    await isIn(page, "stale");
    const lines = () =>
      Promise.all([80, 52, 37, 10].map((secondsAgo) => rowsOf(page, "--line", { secondsAgo, nowMs })));
    await eventually(async () => (await lines()).map((rows) => rows.length > 0)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test("the limit is a line across the chart where it belongs among the readings, in each unit", async () => {
    const nowMs = Date.now();
    // As far below the limit of 29.85 °C as above it: the limit's row is the middle of both.
    const readings = calmReadings(nowMs).map(({ timeMs }) => ({
      timeMs,
      celsius: nowMs - timeMs > 50_000 ? 22.85 : 36.85,
    }));
    const { page } = await open({ readings });
    await isIn(page, "live");
    for (const [unit, limit] of [
      ["°C", "limit 29.85 °C (303 K)"],
      ["°F", "limit 85.73 °F (303 K)"],
      ["K", "limit 303.00 K"],
    ] as const) {
      await page.locator(".units label", { hasText: unit }).click();
      await shows(page, "limit", limit);
      const off = async () => {
        const [limitRow = Number.NaN] = await rowsAcross(page, "--ink-soft");
        const middles = [
          await rowsOf(page, "--line", { secondsAgo: 75, nowMs }),
          await rowsOf(page, "--alarm", { secondsAgo: 25, nowMs }),
        ].map((rows) => ((rows.at(0) ?? Number.NaN) + (rows.at(-1) ?? Number.NaN)) / 2);
        return Math.abs(limitRow - ((middles[0] ?? 0) + (middles[1] ?? 0)) / 2);
      };
      await eventually(off).toBeLessThan(2);
    }
  });

  test("a limit far beyond the readings does not press them flat: an arrow points to where it is", async () => {
    const nowMs = Date.now();
    const readings = calmReadings(nowMs).map(({ timeMs, celsius }) => ({ timeMs, celsius: celsius - 100 }));
    const { page } = await open({ readings });
    await isIn(page, "live");
    await shows(page, "limit", "↑ limit 29.85 °C (303 K)");
    expect(await rowsAcross(page, "--ink-soft")).toEqual([]);
  });

  test("a chart that lacks its oldest readings shows it, and stays where it is under the pointer", async () => {
    const { page } = await open({ truncated: true }, { query: "?span=900", viewport: PHONE });
    await shows(page, "above-limit", /^0 % of \d+ readings above it, older ones omitted$/);
    await page.locator(".canvas").scrollIntoViewIfNeeded();
    const before = await page.locator(".canvas").boundingBox();
    if (before === null) throw new TypeError("there is no chart");
    await page.mouse.move(before.x + 0.9 * before.width, before.y + 0.5 * before.height);
    await shows(page, "readout", /^\d\d:/);
    expect(await page.locator(".canvas").boundingBox()).toEqual(before);
  });

  test("the viewer chooses how far back the chart goes; the address keeps it, also through a reload", async () => {
    const nowMs = Date.now();
    const readings = Array.from({ length: 900 }, (_, i) => ({
      timeMs: nowMs - (899 - i) * 1_000,
      celsius: i < 600 ? 5 : 25,
    }));
    const { page, server } = await open({ readings });
    await isIn(page, "live");
    const label = () => page.locator(".canvas").getAttribute("aria-label");
    const oldest = async () => Math.round((nowMs - ((await series(page))[0]?.timeMs ?? 0)) / 1_000);
    await eventually(oldest).toBeLessThanOrEqual(100);
    expect(await page.getByTestId("span").locator("option").allTextContents()).toEqual([
      "100 seconds",
      "5 minutes",
      "15 minutes",
    ]);

    await page.getByTestId("span").selectOption("15 minutes");
    await eventually(oldest).toBeGreaterThan(850);
    await eventually(() => rowsOf(page, "--line", { secondsAgo: 700, nowMs })).not.toEqual([]);
    expect(server.watches.at(-1)).toEqual({ device: "machine-01", have: null, spanMs: 900_000 });
    expect(await label()).toMatch(/^Chart of the last 15 minutes;/);
    await shows(page, "readout", "lowest 5.00 °C, highest 25.00 °C");
    expect(new URL(page.url()).search).toBe("?span=900");

    await page.reload();
    await isIn(page, "live");
    await eventually(oldest).toBeGreaterThan(850);
    expect(await page.getByTestId("span").inputValue()).toBe("900000");

    const before = server.watches.length;
    await page.getByTestId("span").selectOption("5 minutes");
    await eventually(oldest).toBeLessThanOrEqual(300);
    expect(await oldest()).toBeGreaterThan(250);
    await page.getByTestId("span").selectOption("100 seconds");
    await shows(page, "readout", "lowest 25.00 °C, highest 25.00 °C");
    expect(new URL(page.url()).search).toBe("");
    // What is there already is not asked for.
    expect(server.watches.length).toBe(before);
  });

  test("readings that cross the question for a longer past don't repeat it", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    server.answers = false;
    await page.getByTestId("span").selectOption("15 minutes");
    await eventually(() => server.watchesMs.length).toBeGreaterThan(0);
    for (const celsius of [11, 12, 13]) server.say(celsius);
    await shows(page, "value", /^13\.00/);
    // A round trip: what the page has sent before it is here.
    const acks = server.acks.length;
    server.tell({ fleet: fleetOf([{ id: "machine-01", celsius: 13 }]) });
    await eventually(() => server.acks.length).toBeGreaterThan(acks);
    // Without an answer for 2 s it asks again, which a slow machine may live to see.
    const [firstMs = 0, secondMs = Number.POSITIVE_INFINITY] = server.watchesMs;
    expect(secondMs - firstMs).toBeGreaterThan(1_000);
  });

  test("a length that is not offered is the next longer one, and a pause ends with another length", async () => {
    const { page } = await open({}, { query: "?span=200" });
    await isIn(page, "live");
    await eventually(() => page.getByTestId("span").inputValue()).toBe("300000");
    await page.getByTestId("pause").click();
    await isIn(page, "paused");
    await page.getByTestId("span").selectOption("15 minutes");
    await isIn(page, "live");
  });

  test("the reading under the pointer is told, with its time, until the pointer leaves", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    const box = await page.locator(".canvas").boundingBox();
    if (box === null) throw new TypeError("there is no chart");
    await page.mouse.move(box.x + 0.6 * box.width, box.y + 0.5 * box.height);
    await shows(page, "readout", /^\d\d:\d\d:\d\d\.\d{3}\s+\d\d\.\d\d °C$/);
    const [, celsius] = /\s+(\d\d\.\d\d) °C$/.exec(await text(page, "readout")) ?? [];
    expect(server.world.readings.map((reading) => reading.celsius)).toContain(Number(celsius));
    await page.mouse.move(0, 0);
    await shows(page, "readout", /^lowest /);
  });

  test("on a phone one column: state, value, chart, tiles, alerts, devices; another device by the picker", async () => {
    const devices = ["machine-01", "machine-02", "machine-03"].map((id) => ({ id, celsius: 20 }));
    const { page } = await open({ fleet: fleetOf(devices) }, { viewport: PHONE });
    await isIn(page, "live");
    await eventually(() => page.getByTestId("picker").isVisible()).toBe(true);
    const parts = ["status", "picker", "value", "chart", "tiles", "alerts", "devices"];
    const tops = await Promise.all(
      parts.map(async (part) => (await page.getByTestId(part).boundingBox())?.y ?? -1),
    );
    expect(tops).toEqual(tops.toSorted((a, b) => a - b));
    expect(tops).not.toContain(-1);
    await page.getByTestId("picker").selectOption("machine-03");
    await shows(page, "device", "machine-03");
    expect(new URL(page.url()).search).toBe("?device=machine-03");
    expect(await told(page, "live").count()).toBe(1);
  });
});
