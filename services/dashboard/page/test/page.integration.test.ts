/** Kafka, the real server and the page in Chromium: what the topics hold is what an operator sees. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startBroker } from "@kelvin/embedded-kafka";
import { isChromiumMissing, launchChromium } from "@kelvin/test-kit";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokersOfTests, dashboard, installation, runGroup, Sender } from "../../server/fixtures/kafka.ts";
import type {} from "../src/hooks.ts";
import { type BuiltPage, buildPage } from "./built-page.ts";
import { SwitchedWay } from "./switched-way.ts";

const TYPES: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};
/** Files that a test hands in come from nowhere in Chromium's eyes, and may not open a socket to this machine. */
const LET_HANDED_IN_FILES_CONNECT = "--disable-features=LocalNetworkAccessChecks";
const SLOW = { timeout: 20_000 };

describe.skipIf(isChromiumMissing)("the page on a real server (skipped where there is no Chromium)", () => {
  let built: BuiltPage;
  let browser: Browser;
  beforeAll(async () => {
    [built, browser] = await Promise.all([buildPage(), launchChromium(LET_HANDED_IN_FILES_CONNECT)]);
  });
  afterAll(async () => {
    await browser?.close();
    await built?.remove();
  });

  /** A tab. Its files are those just built, whatever lies in `dist`; its socket is the server's. */
  async function tabAt(url: string): Promise<Page> {
    const page = await browser.newPage();
    await page.route("**/*", async (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname.startsWith("/socket.io") || pathname === "/opening.json") return route.continue();
      const file = pathname === "/" ? "/index.html" : pathname;
      const contentType = TYPES[file.split(".").at(-1) ?? ""] ?? "application/octet-stream";
      return route.fulfill({ body: await readFile(join(built.folder, file)), contentType });
    });
    await page.goto(url);
    return page;
  }

  const words = async (page: Page, testId: string) => (await page.getByTestId(testId).textContent()) ?? "";
  /** The state of the flow: where no pipeline runs, that is a trouble beside it. */
  const state = (page: Page) => page.evaluate(() => window.__kelvin?.states()[0]);
  const series = (page: Page) => page.evaluate(() => window.__kelvin?.series() ?? []);

  test("value, change and the last 100 s or 15 min are the topic's, after a reload and in a second tab as well", async () => {
    const here = installation(brokersOfTests());
    await using sender = await Sender.start(here);
    const seconds = 1_000;
    const sent = Array.from({ length: seconds }, (_, i) => ({
      device: "machine-01",
      celsius: Math.round(2_000 + 1_500 * Math.sin(i / 3)) / 100,
      eventMs: Date.now() - (seconds - i) * 1_000,
    }));
    await sender.readings(sent);
    await using server = await dashboard(here);
    const page = await tabAt(server.url);
    await expect.poll(() => words(page, "value"), SLOW).toMatch(/ °C$/);
    for (const celsius of [20, 36.9]) {
      const reading = { device: "machine-01", celsius, eventMs: Date.now() };
      sent.push(reading);
      await sender.readings([reading]);
    }
    await expect.poll(() => words(page, "value"), SLOW).toBe("36.90 °C");
    expect(await words(page, "change")).toBe("▲ +16.90 °C");

    /** What is sure to be in the window while the test looks: its left edge moves. */
    const isTheTopics = async (tab: Page, spanMs = 100_000) => {
      await expect.poll(async () => (await series(tab)).length, SLOW).toBeGreaterThan(spanMs / 1_100);
      const fromMs = Date.now() - spanMs + 2_000;
      const shown = (await series(tab)).filter(({ timeMs }) => timeMs >= fromMs);
      const wanted = sent.filter(({ eventMs }) => eventMs >= fromMs);
      expect(shown).toEqual(wanted.map(({ eventMs, celsius }) => ({ timeMs: eventMs, celsius })));
    };
    await isTheTopics(page);
    await page.reload();
    await isTheTopics(page);
    const second = await tabAt(server.url);
    await isTheTopics(second);
    await second.getByTestId("span").selectOption("15 minutes");
    await isTheTopics(second, 900_000);
    await second.reload();
    await isTheTopics(second, 900_000);
  });

  test("the socket is cut while readings continue, and the server changes: the series is the topic's each time", async () => {
    const here = installation(brokersOfTests());
    await using sender = await Sender.start(here);
    const sent: { timeMs: number; celsius: number }[] = [];
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const reading = { timeMs: Date.now(), celsius: (sent.length % 80) / 4 };
        sent.push(reading);
        await sender.readings([{ device: "machine-01", celsius: reading.celsius, eventMs: reading.timeMs }]);
      }
    };
    await send(20);
    await using first = await dashboard(here);
    await using second = await dashboard(here);
    const way = await SwitchedWay.open(first.url);
    await using _way = way;
    const page = await tabAt(way.url);
    await expect.poll(() => series(page), SLOW).toEqual(sent);
    await expect.poll(() => state(page), SLOW).not.toBe("connecting");

    way.cut();
    await expect.poll(() => state(page), SLOW).toBe("connecting");
    await send(20);
    way.restore();
    await expect.poll(() => state(page), SLOW).not.toBe("connecting");
    await expect.poll(() => series(page), SLOW).toEqual(sent);

    await send(5);
    way.cut();
    way.leadTo(second.url);
    await send(20);
    const cutMs = performance.now();
    way.restore();
    await expect.poll(() => series(page), SLOW).toEqual(sent);
    expect(performance.now() - cutMs, "viewers move over within 5 s").toBeLessThan(5_000);
    await send(5);
    await expect.poll(() => series(page), SLOW).toEqual(sent);
    await page.close();
  });

  test("bad records are counted with their position while valid ones are processed; a dead pipeline is no all-clear", async () => {
    const here = installation(brokersOfTests());
    await using sender = await Sender.start(here);
    await using server = await dashboard(here);
    const page = await tabAt(server.url);
    await expect.poll(() => state(page), SLOW).toBe("no-data");
    const { partition, offset } = await sender.raw(Buffer.from("not JSON"));
    await expect.poll(() => words(page, "tile-rejected-value"), SLOW).toBe("1");
    const notice = page.locator("[data-testid=state][data-state=bad-data]");
    expect(await notice.textContent()).toContain(`${here.topics.sensor}[${partition}] offset ${offset}`);
    await sender.readings([{ device: "machine-01", celsius: 21.5, eventMs: Date.now() }]);
    await expect.poll(() => words(page, "value"), SLOW).toBe("21.50 °C");
    await expect.poll(() => words(page, "tile-alert_count-value"), SLOW).toBe("unknown");
    await expect
      .poll(() => page.evaluate(() => window.__kelvin?.states()), SLOW)
      .toContain("pipeline-behind");

    await using _alert = await runGroup(here, "alert", here.topics.sensor);
    await using _count = await runGroup(here, "alert-count", here.topics.alert);
    await using _average = await runGroup(here, "average-temperature", here.topics.sensor);
    await expect.poll(() => words(page, "tile-alert_count-value"), SLOW).toBe("0");
    await expect.poll(() => words(page, "tile-average_temperature-value"), SLOW).toBe("no data");
  });

  test("Kafka goes: the page says since when, keeps what it has, and follows again when it is back", async () => {
    const broker = await startBroker({ port: 0 });
    const here = installation(broker.brokers);
    await using server = await dashboard(here);
    {
      await using sender = await Sender.start(here);
      const page = await tabAt(server.url);
      await sender.readings([{ device: "machine-01", celsius: 21.5, eventMs: Date.now() }]);
      await expect.poll(() => words(page, "value"), SLOW).toBe("21.50 °C");
      await broker.stop();
      await expect.poll(() => state(page), SLOW).toBe("kafka-down");
      expect(await words(page, "value")).toBe("21.50 °C");
      expect(await words(page, "tile-average_temperature-value")).toBe("unknown");
      const again = await startBroker({ port: broker.port });
      try {
        await expect.poll(() => state(page), SLOW).not.toBe("kafka-down");
      } finally {
        await page.close();
        await again.stop();
      }
    }
  });
});
