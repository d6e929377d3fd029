/** Without a mouse, without sight, without liking for motion: everything is reached, and only news is told. */
import { isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { episodeOf, eventually, isIn, shows, tabsInChromium } from "./browser.ts";
import { fleetOf } from "./live-server.ts";

const FLEET = () =>
  fleetOf([
    { id: "machine-01", celsius: 20 },
    { id: "machine-02", celsius: 21 },
  ]);

describe.skipIf(isChromiumMissing)("access in Chromium (skipped where there is none)", () => {
  const { open } = tabsInChromium();

  test("the Tab key reaches everything once, in the order of reading, and the focus is seen", async () => {
    const { page } = await open({ fleet: FLEET(), episodes: [episodeOf("machine-02")] });
    await eventually(() => page.getByTestId("device-row").count()).toBe(2);
    const reached: string[] = [];
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press("Tab");
      const focus = await focusOf(page);
      if (focus === undefined || reached.includes(focus.name)) break;
      reached.push(focus.name);
      expect(focus.outlinePx, `the focus on ${focus.name}`).toBeGreaterThanOrEqual(2);
    }
    expect(reached).toEqual([
      "skip",
      "unit",
      "pause",
      "theme",
      "span",
      "canvas",
      "summary",
      "alerts-scroll",
      "episode-device",
      "search",
      "machine-01",
    ]);
  });

  test("keys alone: past the bar, another unit, the table, pause and on", async () => {
    const { page, server } = await open({ fleet: FLEET() });
    await isIn(page, "live");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("reading");
    await page.getByRole("radio", { name: "°C" }).focus();
    await page.keyboard.press("ArrowRight");
    server.say(25);
    await shows(page, "value", /^77\.00\s*°F$/);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await shows(page, "pause", /^Resume/);
    await page.keyboard.press("Space");
    await shows(page, "pause", /^Pause$/);
    await page.locator("summary").focus();
    await page.keyboard.press("Enter");
    await eventually(() => page.locator("tbody tr").count()).toBeGreaterThan(50);
    const heads = await page.locator("thead th").allTextContents();
    expect(heads).toEqual(["Time", "Temperature", "Limit"]);
  });

  test("new alerts are told to a screen reader, each once; numbers never are", async () => {
    const { page, server } = await open({ episodes: [episodeOf("machine-01")] });
    await isIn(page, "live");
    await page.evaluate(() => {
      const told: (string | null)[] = [];
      Reflect.set(window, "told", told);
      for (const region of document.querySelectorAll(
        "[aria-live], [role=status], [role=alert], [role=log]",
      )) {
        new MutationObserver(() => told.push(region.textContent)).observe(region, {
          childList: true,
          characterData: true,
          subtree: true,
        });
      }
    });
    for (const celsius of [21, 36.9, 22, 41.5]) {
      server.say(celsius);
      await shows(page, "value", new RegExp(`^${celsius.toFixed(2)}`));
    }
    server.tell({ episodes: [episodeOf("machine-01", { lastCelsius: 41.5, readings: 8 })] });
    server.tell({ episodes: [episodeOf("machine-01"), episodeOf("machine-07", { id: "2" })] });
    server.tell({ episodes: [episodeOf("machine-01"), episodeOf("machine-07", { id: "2", readings: 9 })] });
    await eventually(() => page.getByTestId("episode").count()).toBe(2);
    expect(await page.evaluate(() => Reflect.get(window, "told"))).toEqual([
      "New alert: machine-07 at 36.90 °C",
    ]);
  });

  test("who wants little motion gets none, and an axis that moves once a second", async () => {
    const { page } = await open({}, { reducedMotion: true });
    await isIn(page, "live");
    const durations = await page.evaluate(() =>
      [...document.querySelectorAll("*")].map((element) => getComputedStyle(element).transitionDuration),
    );
    expect(new Set(durations)).toEqual(new Set(["0s"]));
    const draws = await page.evaluate(async () => {
      const context = document.querySelector("canvas")?.getContext("2d");
      if (!context) return -1;
      let count = 0;
      const clear = context.clearRect.bind(context);
      context.clearRect = (...area) => {
        count++;
        clear(...area);
      };
      await new Promise((resolve) => {
        setTimeout(resolve, 3_000);
      });
      return count;
    });
    expect(draws).toBeGreaterThanOrEqual(1);
    expect(draws).toBeLessThanOrEqual(4);
  });
});

/** What has the focus, by its mark, and how wide the outline around it is; undefined: nothing in the page. */
function focusOf(page: Page): Promise<{ name: string; outlinePx: number } | undefined> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return undefined;
    const name =
      element.closest("[data-device]")?.getAttribute("data-device") ??
      element.dataset["testid"] ??
      (element.getAttribute("name") || element.className || element.localName);
    // A radio button lies invisible over its label, which shows the focus.
    const seen = element.matches("input[type=radio]") ? element.nextElementSibling : element;
    const style = getComputedStyle(seen ?? element);
    return { name, outlinePx: style.outlineStyle === "none" ? 0 : Number.parseFloat(style.outlineWidth) };
  });
}
