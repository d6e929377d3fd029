/** What axe-core finds wrong with a page for people who can't see it, or use no mouse. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

/**
 * Each violation with the elements it is found at; empty where there is none. Runs in a world of its own: a page's CSP
 * may allow no script from outside, and that shall stay so.
 */
export async function axeViolations(page: Page): Promise<string[]> {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const session = await page.context().newCDPSession(page);
  const { result } = await session.send("Runtime.evaluate", {
    expression: `${source};axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html, any }) => html.slice(0, 120) + " " + (any[0]?.message ?? "")).join(" | ")))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  return Array.isArray(result.value) ? result.value.map(String) : [`axe did not run: ${result.description}`];
}
