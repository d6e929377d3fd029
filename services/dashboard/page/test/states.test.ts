/** Staged scenes, dark and light, on a phone and a desk: told, legible to axe, within the screen, and photographed. */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { axeViolations, isChromiumMissing } from "@kelvin/test-kit";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { DESK, eventually, PHONE, tabsInChromium, WALL } from "./browser.ts";
import { SCENES, WALL_SCENES } from "./scenes.ts";

/** Kept for people to look at; not in git. */
const PHOTOGRAPHS = fileURLToPath(new URL("../../../../artefacts/page/", import.meta.url));
const SCREENS = { phone: PHONE, desk: DESK };

describe.skipIf(isChromiumMissing)("staged scenes in Chromium (skipped where there is none)", () => {
  const tabs = tabsInChromium();
  beforeAll(() => mkdir(PHOTOGRAPHS, { recursive: true }));

  test.each(WALL_SCENES)("$name on a wall: nothing wider than the screen", async ({ name, world }) => {
    const { page } = await tabs.open(world(), { viewport: WALL });
    await eventually(() => page.evaluate(() => window.__kelvin?.states())).toContain("live");
    await page.screenshot({ path: photographOf(name, "wall", "dark") });
    expect(await overhang(page)).toBe(0);
  });

  describe.each(SCENES)("$name", ({ name, state, world }) => {
    test.each(Object.entries(SCREENS))(
      "%s: told, no axe violation dark or light, nothing wider than the screen",
      async (screen, viewport) => {
        const { page } = await tabs.open(world(), { viewport });
        await eventually(() => page.getByTestId("states").locator("li").count()).toBeGreaterThan(0);
        await eventually(() => page.evaluate(() => window.__kelvin?.states())).toContain(state);
        for (const colorScheme of ["dark", "light"] as const) {
          await page.emulateMedia({ colorScheme });
          // Colours change within 150 ms: axe must not measure one on its way.
          await eventually(() => page.evaluate(animations)).toBe(0);
          await page.screenshot({ path: photographOf(name, screen, colorScheme) });
          expect(await axeViolations(page)).toEqual([]);
        }
        expect(await overhang(page)).toBe(0);
        expect(await cutShort(page)).toEqual([]);
      },
    );
  });
});

const photographOf = (...names: string[]) => `${PHOTOGRAPHS}${names.join("-").replaceAll(" ", "-")}.png`;

const overhang = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What is told of the shown device must be there to its last letter. */
const cutShort = (page: Page) =>
  page
    .locator(".hero-foot > *")
    .evaluateAll((lines) =>
      lines.flatMap((line) => (line.scrollWidth > line.clientWidth ? [line.textContent] : [])),
    );

/** How many still run, once those of the newest change have begun. */
async function animations(): Promise<number> {
  await new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  });
  return document.getAnimations().length;
}
