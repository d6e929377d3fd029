/** A long list of alerts: what is open and what ended last is in sight, and the earlier ones are a key or a tap away. */
import { axeViolations, isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { ENDED_IN_SIGHT } from "../src/alerts.ts";
import { DESK, endedEpisodes, episodeOf, eventually, PHONE, tabsInChromium, text } from "./browser.ts";

const ENDED = 30;
const open = (id: string) => episodeOf("machine-01", { id });
const OVER = endedEpisodes(ENDED);

describe.skipIf(isChromiumMissing)("many alerts in Chromium (skipped where there is none)", () => {
  const tabs = tabsInChromium();
  const inSight = (page: Page) =>
    page
      .getByTestId("episode")
      .evaluateAll((all) => all.filter((one) => one.getClientRects().length > 0).length);
  const height = (page: Page) => page.evaluate(() => document.documentElement.scrollHeight);

  test("on a phone the newest are in sight; a key shows the earlier ones and continues there; another hides them", async () => {
    const { page, server } = await tabs.open({ episodes: [open("a"), ...OVER] }, { viewport: PHONE });
    await eventually(() => page.getByTestId("episode").count()).toBe(ENDED + 1);
    expect(await inSight(page)).toBe(1 + ENDED_IN_SIGHT);
    const short = await height(page);
    const more = page.getByRole("button", {
      name: `${ENDED - ENDED_IN_SIGHT} earlier alerts`,
      expanded: false,
    });
    await more.focus();
    await page.keyboard.press("Enter");
    expect(await inSight(page)).toBe(1 + ENDED);
    expect(await axeViolations(page)).toEqual([]);
    expect(await height(page)).toBeGreaterThan(short + 500);
    const focused = page.locator(".episode:focus-within");
    expect(await focused.textContent()).toBe(await page.getByTestId("episode").nth(6).textContent());
    // A further one that ends makes each place below another's: what has the focus keeps it.
    const before = await focused.textContent();
    server.tell({
      episodes: [open("a"), episodeOf("machine-01", { id: "b", endedMs: Date.now() }), ...OVER],
    });
    await eventually(() => page.getByTestId("episode").count()).toBe(ENDED + 2);
    expect(await focused.textContent()).toBe(before);
    await page.getByTestId("alerts-more").click();
    expect(await page.getByTestId("alerts-more").getAttribute("aria-expanded")).toBe("false");
    expect(await inSight(page)).toBe(1 + ENDED_IN_SIGHT);
    expect(await axeViolations(page)).toEqual([]);
  });

  test("open ones are never among the earlier, and without earlier ones there is no button", async () => {
    const many = Array.from({ length: 12 }, (_, i) => open(`open-${i}`));
    const { page, server } = await tabs.open(
      { episodes: [...many, ...OVER.slice(0, 1)] },
      { viewport: PHONE },
    );
    await eventually(() => inSight(page)).toBe(13);
    expect(await page.getByTestId("alerts-more").isVisible()).toBe(false);
    server.tell({ episodes: [...many, ...OVER.slice(0, ENDED_IN_SIGHT + 1)] });
    await eventually(() => text(page, "alerts-more")).toBe("1 earlier alert");
    expect(await inSight(page)).toBe(12 + ENDED_IN_SIGHT);
  });

  test("on a desk the list scrolls in itself, and all are in it", async () => {
    const { page } = await tabs.open({ episodes: [open("a"), ...OVER] }, { viewport: DESK });
    await eventually(() => inSight(page)).toBe(1 + ENDED);
    expect(await page.getByTestId("alerts-more").isVisible()).toBe(false);
    expect(await height(page)).toBe(DESK.height);
  });
});
