/** Nothing jumps: numbers change, and every part of the page stays where it was. */
import { FLAG } from "@kelvin/schema/live";
import { isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { DESK, episodeOf, eventually, isIn, PHONE, shows, tabsInChromium, WALL } from "./browser.ts";
import { fleetOf, type LiveServer } from "./live-server.ts";

const TABLET = { width: 920, height: 700 };
/** Short ones and long ones, below zero, above the limit, and of three digits. */
const VALUES = [21.5, 9.87, -3.4, -12.34, 36.9, 41.05, 103.5, 29.85, 30.1, 0];

describe.skipIf(isChromiumMissing)("what stays where it is (skipped where there is no Chromium)", () => {
  const { open } = tabsInChromium();

  test.each([
    ["one device", DESK, false],
    ["one device", PHONE, false],
    ["a fleet", DESK, true],
    ["a fleet", TABLET, true],
    ["a fleet", PHONE, true],
    ["a fleet", WALL, true],
  ] as const)("%s at %o: over 20 updates no element moves", async (_, viewport, several) => {
    const { page, server } = await open({}, { viewport });
    await isIn(page, "live");
    await update(page, server, 20, several);
    const before = await boxes(page);
    expect(Object.keys(before).length).toBeGreaterThan(40);
    await watchForShifts(page);
    for (let i = 0; i < 20; i++) {
      await update(page, server, VALUES[i % VALUES.length] ?? 0, several);
      expect(await boxes(page)).toEqual(before);
      expect(await roomBesideUnit(page)).toBeGreaterThan(0);
    }
    expect(await page.evaluate(() => Reflect.get(window, "shifts"))).toEqual([]);
  });

  test.each([
    [DESK, 1],
    [DESK, 3],
    [PHONE, 1],
    [PHONE, 3],
    [WALL, 3],
  ])("%o, %d devices: from the first paint on nothing moves", async (viewport, count) => {
    const fleet = fleetOf(
      ["machine-01", "machine-02", "machine-03"].slice(0, count).map((id) => machine(id, 20)),
    );
    // A machine may be so slow that the first picture is one without a server: the next tab's may not be.
    const shifts = async () => {
      const { page } = await open({ fleet }, { viewport });
      await isIn(page, "live");
      await eventually(() => page.getByTestId("chart").getAttribute("data-state")).toBe("live");
      return shiftsSoFar(page);
    };
    await eventually(shifts).toEqual([]);
  });

  test("the shown device has one value, in the list as above the chart", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    server.tell({ fleet: machines(20) });
    const value = page.locator("[data-device=machine-01] .device-value");
    for (const celsius of VALUES) {
      server.say(celsius);
      await shows(page, "value", told(celsius, 2));
      expect(await value.textContent()).toBe(`${told(celsius, 1)} °C`);
    }
  });
});

const told = (celsius: number, decimals: number) => celsius.toFixed(decimals).replace("-", "−");

/** A reading, its key figures, the fleet and an alert: all that a second may bring. */
async function update(page: Page, server: LiveServer, celsius: number, several: boolean): Promise<void> {
  const windowEndMs = Date.now();
  server.tell({
    fleet: several ? machines(celsius) : fleetOf([machine("machine-01", celsius)]),
    episodes: [
      episodeOf("machine-01", { lastCelsius: celsius, readings: Math.abs(Math.round(celsius * 7)) }),
    ],
    kpis: [
      { name: "alert_count", state: "value", value: celsius > 30 ? 12 : 0, windowEndMs, because: [] },
      { name: "average_temperature", state: "value", value: celsius, windowEndMs, because: [] },
    ],
  });
  server.say(celsius);
  await shows(page, "value", told(celsius, 2));
}

function machine(id: string, celsius: number) {
  return { id, celsius, flags: celsius > 29.85 ? FLAG.inAlarm : 0 };
}

function machines(celsius: number) {
  return fleetOf([machine("machine-01", celsius), machine("machine-02", 18), machine("machine-03", 19.5)]);
}

/** Pixels from the end of the value to the edge of what it stands in. */
function roomBesideUnit(page: Page): Promise<number> {
  return page.evaluate(() => {
    const right = (selector: string) =>
      document.querySelector(selector)?.getBoundingClientRect().right ?? Number.NaN;
    return right(".hero") - right(".value-unit");
  });
}

/** Where each part with a name or a class of its own is, to a tenth of a pixel. */
function boxes(page: Page): Promise<Record<string, string>> {
  return page.evaluate(() => {
    // What a line of text is made of may be longer or shorter, as long as all around stays: it is only placed.
    const runs =
      ".above-limit, .chart-share, .limit-name, .episode-value, .episode-word, .device-value, .device-name, .status-word";
    const found: Record<string, string> = {};
    const parts = document.querySelectorAll("header *, main *, main, header, .notices");
    for (const [i, part] of [...parts].entries()) {
      if (part.closest("svg, option, .canvas > *, .episode-detail, bdi") !== null || part.matches(runs))
        continue;
      const { x, y, width, height } = part.getBoundingClientRect();
      const place = [x, y, width, height].map((length) => length.toFixed(1)).join(" ");
      found[`${i} ${part.tagName} ${part.className} ${part.getAttribute("data-testid") ?? ""}`] = place;
    }
    return found;
  });
}

/** The same since the page began, once another frame is drawn. */
function shiftsSoFar(page: Page): Promise<string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((done) => {
        const shifts: string[] = [];
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) shifts.push(JSON.stringify(entry));
        }).observe({ type: "layout-shift", buffered: true });
        requestAnimationFrame(() => setTimeout(() => done(shifts)));
      }),
  );
}

/** The browser's own account of what moved without the viewer's doing. */
async function watchForShifts(page: Page): Promise<void> {
  await page.evaluate(() => {
    const shifts: string[] = [];
    Reflect.set(window, "shifts", shifts);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push(JSON.stringify(entry));
    }).observe({ type: "layout-shift" });
  });
}
