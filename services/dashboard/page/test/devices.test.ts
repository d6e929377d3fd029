/** The list of devices at its largest: 1,000, worst first, by pointer, keys and search. */
import { FLAG } from "@kelvin/schema/live";
import { isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { RECOVERED_MS } from "../src/ranking.ts";
import { eventually, isIn, shows, tabsInChromium } from "./browser.ts";
import { fleetOf } from "./live-server.ts";

const COUNT = 1_000;
/** Of processor time in the page for one summary of 1,000 devices. */
const WORK_MS_MAX = 150;

const nameOf = (i: number) => `machine-${String(i).padStart(4, "0")}`;

/** 1,000 devices; `high` is in alarm, and so stands first. */
function fleet(high: number, celsiusOf = (i: number) => 20 + (i % 9)) {
  const order = [high, ...Array.from({ length: COUNT }, (_, i) => i + 1).filter((i) => i !== high)];
  return fleetOf(
    order.map((i) => ({ id: nameOf(i), celsius: celsiusOf(i), flags: i === high ? FLAG.inAlarm : 0 })),
  );
}

/** The same, told so much later, when who is well again has been for long. */
const later = (high: number) => ({ ...fleet(high), nowMs: Date.now() + 2 * RECOVERED_MS });

describe.skipIf(isChromiumMissing)("1,000 devices in Chromium (skipped where there is none)", () => {
  const { open } = tabsInChromium();
  const rows = (page: Page) => page.getByTestId("device-row");
  const first = (page: Page) => rows(page).first().getAttribute("data-device");

  test("worst first; found by search; reached by keys; the choice stays where its row goes", async () => {
    const { page, server } = await open({ device: nameOf(7), fleet: fleet(7) });
    await eventually(() => rows(page).count()).toBe(COUNT);
    expect(await first(page)).toBe(nameOf(7));
    await page.getByTestId("search").fill("0123");
    await eventually(() => rows(page).count()).toBe(1);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await shows(page, "device", nameOf(123));
    await page.getByTestId("search").fill("");
    await eventually(() => rows(page).count()).toBe(COUNT);

    await page.locator(`[data-device=${nameOf(123)}] a`).focus();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await shows(page, "device", nameOf(COUNT - 1));
    await eventually(() => page.locator(".device a[aria-current]").getAttribute("title")).toBe(
      nameOf(COUNT - 1),
    );

    await page.getByTestId("pause").focus();
    server.tell({ fleet: fleet(COUNT - 1) });
    await eventually(() => rows(page).nth(1).getAttribute("data-device")).toBe(nameOf(COUNT - 1));
    expect(await first(page), "well again, but not for long").toBe(nameOf(7));
    server.tell({ fleet: later(COUNT - 1) });
    await eventually(() => first(page)).toBe(nameOf(COUNT - 1));
    expect(await page.locator(".device a[aria-current]").getAttribute("title")).toBe(nameOf(COUNT - 1));
    expect(await page.getByTestId("reading").isVisible()).toBe(true);
  });

  test("rows under the pointer and under the keys' focus keep their places", async () => {
    const { page, server } = await open({ fleet: fleet(1) });
    await eventually(() => rows(page).count()).toBe(COUNT);
    await rows(page).nth(2).locator("a").focus();
    server.tell({ fleet: fleet(500, () => 25) });
    await eventually(() => page.locator(`[data-device=${nameOf(3)}] .device-value`).textContent()).toBe(
      "25.0 °C",
    );
    expect(await rows(page).nth(1).getAttribute("data-device")).toBe(nameOf(2));
    await shows(page, "devices-none", "The order is frozen while you use the list.");
    await page.getByTestId("pause").focus();
    server.tell({ fleet: fleet(500, () => 26) });
    await eventually(() => rows(page).nth(1).getAttribute("data-device")).toBe(nameOf(500));
    expect(await page.getByTestId("devices-none").isVisible()).toBe(false);

    await rows(page).nth(3).hover();
    server.tell({ fleet: fleet(600, () => 27) });
    await shows(page, "devices-none", "The order is frozen while you use the list.");
    expect(await rows(page).nth(2).getAttribute("data-device")).toBe(nameOf(2));
    await page.getByTestId("pause").hover();
    server.tell({ fleet: fleet(600, () => 28) });
    await eventually(() => rows(page).nth(2).getAttribute("data-device")).toBe(nameOf(600));
  });

  test("a device that goes up or down moves alone, and what has not changed is not touched", async () => {
    const { page, server } = await open({ fleet: fleet(1) });
    await eventually(() => rows(page).count()).toBe(COUNT);
    await countMoves(page);
    const top = () =>
      rows(page).evaluateAll((all) => all.slice(0, 4).map((row) => row.getAttribute("data-device")));
    server.tell({ fleet: fleet(500) });
    await eventually(top).toEqual([1, 500, 2, 3].map(nameOf));
    server.tell({ fleet: later(2) });
    await eventually(top).toEqual([2, 500, 1, 3].map(nameOf));
    // Two up and one down: each taken out and put in.
    expect(await page.evaluate(() => Reflect.get(window, "moves"))).toBeLessThanOrEqual(6);
  });

  test("each has a line of its last 100 s, and a summary in which every value changes costs little", async () => {
    const { page, server } = await open({ fleet: fleet(1) });
    await isIn(page, "in-alarm");
    await eventually(() => rows(page).count()).toBe(COUNT);
    await eventually(() => page.locator(".sparkline path[d^=M]").count()).toBe(COUNT);
    const session = await page.context().newCDPSession(page);
    // Of the processor alone: on a busy machine the time on the wall tells of others.
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const workMs = async () => {
      const { metrics } = await session.send("Performance.getMetrics");
      return 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN);
    };
    const costs: number[] = [];
    for (let i = 1; i <= 9; i++) {
      const before = await workMs();
      server.tell({ fleet: fleet(1, (device) => 20 + i + (device % 7)) });
      await eventually(() => page.locator(`[data-device=${nameOf(999)}] .device-value`).textContent()).toBe(
        `${20 + i + (999 % 7)}.0 °C`,
      );
      costs.push((await workMs()) - before);
    }
    costs.sort((a, b) => a - b);
    expect(costs[4], `ms of work: ${costs.map(Math.round).join(", ")}`).toBeLessThan(WORK_MS_MAX);
  });
});

async function countMoves(page: Page): Promise<void> {
  await page.evaluate(() => {
    Reflect.set(window, "moves", 0);
    const list = document.querySelector(".device-list");
    if (list === null) return;
    new MutationObserver((changes) => {
      Reflect.set(window, "moves", Reflect.get(window, "moves") + changes.length);
    }).observe(list, { childList: true });
  });
}
