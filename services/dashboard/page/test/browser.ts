/** What all tests of the page in Chromium share: a tab on a server under the test's hand, and eyes for it. */
import { type Episode, LIVE_VERSION } from "@kelvin/schema/live";
import { launchChromium } from "@kelvin/test-kit";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type {} from "../src/hooks.ts";
import { type BuiltPage, buildPage } from "./built-page.ts";
import { LiveServer, type World } from "./live-server.ts";

export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 320, height: 720 };
export const WALL = { width: 2560, height: 1440 };

export interface View {
  viewport?: { width: number; height: number };
  theme?: "light" | "dark";
  reducedMotion?: boolean;
  /** High contrast, as Windows calls it: colours of the viewer's choice, dark or light as the theme. */
  forcedColours?: boolean;
  query?: string;
}

/** One Chromium and one build for a file of tests; each test's tabs and servers end with it. */
export interface Tabs {
  open(world?: Partial<World>, view?: View): Promise<{ page: Page; server: LiveServer }>;
  /** A server of its own for the same page, on the port of one that has gone. */
  serverAt(port: number, world: Partial<World>): Promise<LiveServer>;
}

/** Call it within `describe`: it sets the hooks. After each test nothing may have been complained about. */
export function tabsInChromium(): Tabs {
  let built: BuiltPage;
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const servers: LiveServer[] = [];
  /** What the browser complained about: scripts that threw, things that the CSP forbade. */
  let complaints: string[] = [];

  beforeAll(async () => {
    [built, browser] = await Promise.all([buildPage(), launchChromium()]);
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
    for (const server of servers.splice(0)) await server.stop();
    const told = complaints;
    complaints = [];
    expect(told).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await built?.remove();
  });

  async function serverAt(port: number, world: Partial<World>): Promise<LiveServer> {
    const server = await LiveServer.start(built.folder, world, port);
    servers.push(server);
    return server;
  }

  return {
    serverAt,
    async open(world = {}, view = {}) {
      const server = await serverAt(0, world);
      const context = await browser.newContext({
        viewport: view.viewport ?? DESK,
        colorScheme: view.theme ?? "dark",
        reducedMotion: view.reducedMotion ? "reduce" : "no-preference",
        forcedColors: view.forcedColours ? "active" : "none",
      });
      contexts.push(context);
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        // A server that is gone is a state of the page, not its fault.
        const isLoss = message.text().includes("ERR_CONNECTION_REFUSED");
        if (message.type() === "error" && !isLoss) complaints.push(message.text());
      });
      page.on("request", (request) => {
        const isOwn = request.url().startsWith(server.url) || request.url().startsWith("data:");
        if (!isOwn) complaints.push(`asked for ${request.url()}`);
      });
      await page.goto(server.url + (view.query ?? ""));
      return { page, server };
    },
  };
}

/** Generous: a busy machine is slow, and a condition that comes true ends the wait at once. */
export const eventually = <T>(condition: () => T) =>
  expect.poll(condition, { timeout: 15_000, interval: 25 });

/** The text of an element, with its spaces as a reader sees them. */
export async function wordsOf(locator: Locator): Promise<string> {
  return ((await locator.textContent()) ?? "").replace(/\s+/g, " ").trim();
}

export const text = (page: Page, testId: string) => wordsOf(page.getByTestId(testId));
export const shows = (page: Page, testId: string, wanted: string | RegExp) =>
  eventually(() => text(page, testId)).toMatch(wanted);
export const isIn = (page: Page, state: string) =>
  eventually(() => page.getByTestId("status").getAttribute("data-state")).toBe(state);
export const series = (page: Page) => page.evaluate(() => window.__kelvin?.series() ?? []);
/** The sentence about a state that holds. */
export const told = (page: Page, state: string) => page.locator(`[data-testid=state][data-state=${state}]`);

export const NEWER_VERSION = LIVE_VERSION + 1;

export function episodeOf(device: string, more: Partial<Episode> = {}): Episode {
  return {
    id: "1",
    device,
    sinceMs: Date.now() - 9_000,
    lastMs: Date.now(),
    readings: 7,
    peakCelsius: 41.2,
    lastCelsius: 36.9,
    endedMs: null,
    ...more,
  };
}

/** Alerts that are over, one a minute, the newest first. */
export function endedEpisodes(count: number): Episode[] {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, i) => {
    const lastMs = nowMs - (i + 1) * 60_000;
    return episodeOf("machine-01", {
      id: `over-${i}`,
      sinceMs: lastMs - 7_000,
      lastMs,
      endedMs: lastMs + 5_000,
    });
  });
}
