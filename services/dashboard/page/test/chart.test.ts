/** What is drawn of the readings, and what a pointer and a phone get of it. */
import { isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { eventually, isIn, PHONE, shows, tabsInChromium, text, told } from "./browser.ts";
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
      Promise.all([80, 52, 37, 10].map((secondsAgo) => linePixels(page, secondsAgo, nowMs)));
    await eventually(async () => (await lines()).map((pixels) => pixels > 0)).toEqual([
      true,
      false,
      true,
      false,
    ]);
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

/** How many pixels of the line's colour, in the dark theme, lie within 3 pixels of an instant. */
function linePixels(page: Page, secondsAgo: number, nowMs: number): Promise<number> {
  return page.evaluate(
    ({ atMs, line }) => {
      const canvas = document.querySelector("canvas");
      const context = canvas?.getContext("2d");
      if (!canvas || !context) return -1;
      const em = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const [left, right] = [3.25 * em, canvas.width - 8];
      const agoMs = (window.__kelvin?.nowMs() ?? 0) - atMs;
      const x = Math.round(right - ((right - left) * agoMs) / 100_000);
      const { data } = context.getImageData(x - 3, 0, 7, canvas.height);
      let pixels = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (line.every((part, channel) => Math.abs((data[i + channel] ?? 0) - part) < 12)) pixels++;
      }
      return pixels;
    },
    { atMs: nowMs - 1000 * secondsAgo, line: [0xa9, 0xc6, 0xe3] },
  );
}
