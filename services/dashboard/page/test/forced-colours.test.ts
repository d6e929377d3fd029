/** High contrast: where the viewer's own colours stand in for the page's, words and shapes must tell what colours did. */
import { axeViolations, isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { eventually, tabsInChromium } from "./browser.ts";
import { rowsOf } from "./drawn.ts";
import { calmReadings } from "./live-server.ts";
import { SCENES } from "./scenes.ts";

describe.skipIf(isChromiumMissing)("forced colours in Chromium (skipped where there is none)", () => {
  const { open } = tabsInChromium();

  describe.each(["dark", "light"] as const)("%s", (theme) => {
    test.each(SCENES)("$name: each state has its word and its own shape, no axe violation", async (scene) => {
      const { page } = await open(scene.world(), { theme, forcedColours: true });
      await eventually(() => page.evaluate(() => window.__kelvin?.states())).toContain(scene.state);
      await eventually(() => page.getByTestId("state").count()).toBeGreaterThan(0);
      const states = await page.getByTestId("state").evaluateAll((notices) =>
        notices.map((notice) => ({
          state: notice.getAttribute("data-state"),
          word: notice.querySelector(".notice-word")?.textContent,
          icon: notice.querySelector("use")?.getAttribute("href"),
        })),
      );
      expect(new Set(states.map(({ word }) => word)).size).toBe(states.length);
      expect(states.map(({ icon }) => icon)).toEqual(states.map(({ state }) => `#icon-${state}`));
      expect(await axeViolations(page)).toEqual([]);
    });

    test("devices in the list are told apart by shapes", async () => {
      const fleet = SCENES.find(({ name }) => name === "fleet");
      const { page } = await open(fleet?.world(), { theme, forcedColours: true });
      await eventually(() => page.getByTestId("device-row").count()).toBe(60);
      expect(await shapesOf(page)).toEqual({
        high: "#icon-high",
        stale: "#icon-stale",
        "clock-ahead": "#icon-clock-ahead",
        ok: "none",
      });
    });

    test("line, newest reading and sparklines are drawn in the viewer's colours", async () => {
      const nowMs = Date.now();
      const readings = calmReadings(nowMs);
      const { page } = await open({ readings, ...SCENES[0]?.world() }, { theme, forcedColours: true });
      await eventually(() =>
        rowsOf(page, "CanvasText", { secondsAgo: 30, nowMs }).then((rows) => rows.length),
      ).toBeGreaterThan(0);
      const strokes = page.locator(".sparkline path").evaluateAll((paths) => {
        const ink = getComputedStyle(document.body).color;
        return paths.filter((path) => getComputedStyle(path).stroke !== ink).length;
      });
      expect(await strokes).toBe(0);
    });
  });

  test("the chart takes other colours when the viewer asks for them while it is open", async () => {
    const nowMs = Date.now();
    const { page } = await open({ readings: calmReadings(nowMs) }, { theme: "light" });
    const inForced = async () => (await rowsOf(page, "CanvasText", { secondsAgo: 30, nowMs })).length > 0;
    await eventually(
      async () => (await rowsOf(page, "--line", { secondsAgo: 30, nowMs })).length,
    ).toBeGreaterThan(0);
    await page.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
    await eventually(inForced).toBe(true);
  });
});

/** For each state of a device the shape that its rows show. */
function shapesOf(page: Page): Promise<Record<string, string>> {
  return page.getByTestId("device-row").evaluateAll((rows) =>
    Object.fromEntries(
      rows.map((row) => {
        const icon = row.querySelector(".icon");
        const isSeen = icon !== null && getComputedStyle(icon).visibility === "visible";
        return [
          row.getAttribute("data-state"),
          isSeen ? icon.querySelector("use")?.getAttribute("href") : "none",
        ];
      }),
    ),
  );
}
