/** What a browser shows of the page in its tab. */
import { FLAG } from "@kelvin/schema/live";
import { isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { eventually, isIn, tabsInChromium } from "./browser.ts";
import { fleetOf } from "./live-server.ts";

describe.skipIf(isChromiumMissing)("the tab in Chromium (skipped where there is none)", () => {
  const { open } = tabsInChromium();

  test("its icon has another shape for all is well, in alarm, Kafka down and no connection, and needs no server", async () => {
    const { page, server } = await open();
    await isIn(page, "live");
    const shapes = [await shapeOf(page)];
    const last = () => shapes.at(-1) ?? "";
    server.tell({ fleet: fleetOf([{ id: "machine-01", celsius: 36.9, flags: FLAG.inAlarm }]) });
    await isIn(page, "in-alarm");
    await eventually(() => shapeOf(page)).not.toBe(last());
    shapes.push(await shapeOf(page));
    const sinceMs = Date.now();
    server.tell({ health: { kafka: { up: false, sinceMs, dataUpToMs: sinceMs } } });
    await isIn(page, "kafka-down");
    await eventually(() => shapeOf(page)).not.toBe(last());
    shapes.push(await shapeOf(page));
    await server.stop();
    await isIn(page, "connecting");
    await eventually(() => shapeOf(page)).not.toBe(last());
    shapes.push(await shapeOf(page));
    expect(new Set(shapes).size).toBe(4);
  });
});

/** The icon's drawing without its colours, once a browser has drawn it. */
function shapeOf(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const href = document.querySelector("link[rel=icon]")?.getAttribute("href") ?? "";
    const image = new Image();
    image.src = href;
    await image.decode();
    return decodeURIComponent(href.slice(href.indexOf(",") + 1)).replaceAll(/#[0-9a-f]{3,6}/g, "");
  });
}
