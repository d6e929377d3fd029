/** The whole system, judged by what an operator sees in Chromium. */
import { SensorReading } from "@kelvin/schema";
import {
  followTopic,
  isChromiumMissing,
  launchChromium,
  startService,
  type TopicLog,
  waitFor,
} from "@kelvin/test-kit";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import {
  ALERT_COUNT,
  AVERAGE_TEMPERATURE,
  alertsOf,
  Balancer,
  DASHBOARD,
  expectedKpis,
  installation,
  PROCESSOR,
  PRODUCER,
  readingsOf,
} from "./support/index.ts";

describe.skipIf(isChromiumMissing)(
  "the page on a running system (skipped where there is no Chromium)",
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser?.close());

    async function open(url: string): Promise<Page> {
      const page = await browser.newPage();
      await page.goto(url);
      await expect.poll(async () => (await seriesOf(page)).length, { timeout: 20_000 }).toBeGreaterThan(0);
      return page;
    }

    test("value, chart and KPI tiles say what the topics hold, in every tab, and what a silence means", async () => {
      await using plant = await installation();
      await using dashboard = plant.start(DASHBOARD);
      await using alertPipeline = plant.start(PROCESSOR, { PIPELINES: "alert" });
      await using kpiPipelines = plant.start(PROCESSOR, { PIPELINES: "alert-count,average-temperature" });
      const [url] = await Promise.all([dashboard.ready(), alertPipeline.ready(), kpiPipelines.ready()]);
      await using producer = plant.start(PRODUCER, { INTERVAL_MS: "200", BASE_CELSIUS: "31" });
      await using sensor = await followTopic(plant.brokers, plant.topics.sensor);
      await using alert = await followTopic(plant.brokers, plant.topics.alert);

      const page = await open(url);
      await waitFor("15 s of readings", () => sensor.records.length > 75, { timeoutMs: 30_000 });
      await expect.poll(() => flowOf(page)).toBe("live");
      await expectSeriesOfTopic(page, sensor);
      await page.reload();
      await expect.poll(async () => (await seriesOf(page)).length).toBeGreaterThan(75);
      await expectSeriesOfTopic(page, sensor);
      const secondTab = await open(url);
      await expectSeriesOfTopic(secondTab, sensor);

      await expectTile(page, "alert_count", async () =>
        expectedKpis(alertsOf(await alert.toEnd()), ALERT_COUNT),
      );
      await expectTile(page, "average_temperature", async () =>
        expectedKpis(readingsOf(await sensor.toEnd()), AVERAGE_TEMPERATURE),
      );

      // Alone, the loss of the pipeline that finds alerts must not look like their absence.
      await alertPipeline.kill();
      await expect.poll(() => textOf(page, "tile-alert_count-value"), { timeout: 20_000 }).toBe("unknown");
      expect(await textOf(page, "tile-average_temperature-value")).toMatch(/^-?[\d.]+ °C$/);
      await expect.poll(() => page.evaluate("window.__kelvin.states()")).toContain("pipeline-behind");
      await using again = plant.start(PROCESSOR, { PIPELINES: "alert" });
      await again.ready();
      await expect.poll(() => textOf(page, "tile-alert_count-value"), { timeout: 20_000 }).toMatch(/^\d+$/);

      expect((await producer.stop()).code).toBe(0);
      const last = SensorReading.parse(JSON.parse((await sensor.toEnd()).at(-1)?.value ?? ""));
      for (const tab of [page, secondTab]) {
        await expect.poll(() => textOf(tab, "value")).toBe(`${minus(last.temperature.toFixed(2))} °C`);
        await expectSeriesOfTopic(tab, sensor);
      }
      await expect.poll(() => flowOf(page), { timeout: 10_000 }).toBe("stale");
      await expect.poll(() => textOf(page, "tile-alert_count-value"), { timeout: 20_000 }).toBe("0");
      await expect
        .poll(() => textOf(page, "tile-average_temperature-value"), { timeout: 20_000 })
        .toBe("no data");
    }, 180_000);

    test("one of two instances is killed by kill -9: its viewers are with the other within 5 s, and no reading is missing", async () => {
      await using plant = await installation();
      await using first = plant.start(DASHBOARD);
      await using second = plant.start(DASHBOARD);
      await using producer = plant.start(PRODUCER, { INTERVAL_MS: "100" });
      const urls = await Promise.all([first.ready(), second.ready()]);
      await producer.ready();
      await using sensor = await followTopic(plant.brokers, plant.topics.sensor);
      await using balancer = await Balancer.start(urls);
      const page = await open(balancer.url);
      await expect.poll(async () => (await seriesOf(page)).length, { timeout: 20_000 }).toBeGreaterThan(30);

      await first.kill();
      const killedMs = Date.now();
      const newestMs = async () => (await seriesOf(page)).at(-1)?.timeMs ?? 0;
      await expect.poll(newestMs, { timeout: 20_000, interval: 20 }).toBeGreaterThan(killedMs);
      expect(Date.now() - killedMs).toBeLessThan(5_000);
      await expect.poll(newestMs, { timeout: 20_000 }).toBeGreaterThan(killedMs + 3_000);
      await expectSeriesOfTopic(page, sensor);
      await expect.poll(() => page.evaluate("window.__kelvin.states()")).toContain("live");
      await page.close();
    }, 120_000);

    test("where a token is asked for, a link with it opens the page, its socket and its tabs, and leaves the address", async () => {
      await using plant = await installation();
      const token = "a-token-of-this-test";
      await using dashboard = plant.start(DASHBOARD, { DASHBOARD_TOKEN: token });
      await using producer = plant.start(PRODUCER, { INTERVAL_MS: "100" });
      const [url] = await Promise.all([dashboard.ready(), producer.ready()]);
      const context = await browser.newContext();
      const page = await context.newPage();
      for (const query of ["", "?token=another-token-than-that"]) {
        expect((await page.goto(url + query))?.status()).toBe(401);
        expect(await page.locator("h1").textContent()).toBe("This dashboard requires a token");
      }
      await page.goto(`${url}?unit=kelvin&token=${token}`);
      await expect.poll(() => textOf(page, "value"), { timeout: 20_000 }).toMatch(/^\d+\.\d\d K$/);
      expect(new URL(page.url()).search).toBe("?unit=kelvin");
      expect(await page.evaluate("document.cookie"), "scripts see no cookie").toBe("");
      await page.reload();
      const second = await context.newPage();
      await second.goto(url);
      for (const tab of [page, second]) {
        await expect.poll(async () => (await seriesOf(tab)).length, { timeout: 20_000 }).toBeGreaterThan(10);
      }
      await context.clearCookies();
      expect((await page.reload())?.status()).toBe(401);
      await context.close();
    }, 60_000);

    test("a broker that goes away is told, and all recovers by itself when another takes its place", async () => {
      await using plant = await installation();
      const broker = () =>
        startService({ main: "packages/embedded-kafka/src/main.ts", env: { KAFKA_PORT: "0" } });
      await using first = broker();
      const address = /listening on (\S+)/.exec(await first.lineMatching(/listening on/))?.[1] ?? "";
      const own = { KAFKA_BROKERS: address };
      await using dashboard = plant.start(DASHBOARD, own);
      await using processor = plant.start(PROCESSOR, own);
      await using producer = plant.start(PRODUCER, { ...own, INTERVAL_MS: "200" });
      const [url] = await Promise.all([dashboard.ready(), processor.ready(), producer.ready()]);
      const page = await open(url);
      await expect.poll(() => flowOf(page)).toBe("live");

      await first.kill();
      await expect.poll(() => flowOf(page), { timeout: 10_000 }).toBe("kafka-down");
      await using second = startService({
        main: "packages/embedded-kafka/src/main.ts",
        env: { KAFKA_PORT: address.split(":").at(-1) ?? "" },
      });
      await second.lineMatching(/listening on/);
      await expect.poll(() => flowOf(page), { timeout: 30_000 }).toBe("live");
      await expect
        .poll(() => textOf(page, "tile-average_temperature-value"), { timeout: 30_000 })
        .toMatch(/^-?[\d.]+ °C$/);
      expect([dashboard, processor, producer].map(({ log }) => /"level":"fatal"/.test(log()))).toEqual([
        false,
        false,
        false,
      ]);
    }, 120_000);
  },
);

/** What the page's own hook tells of the chart. */
const Series = z.array(z.object({ timeMs: z.number(), celsius: z.number() }));

const seriesOf = async (page: Page) => Series.parse(await page.evaluate("window.__kelvin?.series() ?? []"));
const flowOf = (page: Page) => page.locator("main").getAttribute("data-flow");
const textOf = async (page: Page, testId: string) =>
  ((await page.getByTestId(testId).textContent()) ?? "").replaceAll(/\s+/g, " ").trim();
const minus = (text: string) => text.replace("-", "−");

/** What the page draws is the topic, reading by reading, from the first that it shows to the newest. */
async function expectSeriesOfTopic(page: Page, sensor: TopicLog): Promise<void> {
  const shown = await seriesOf(page);
  const [first] = shown;
  const last = shown.at(-1);
  if (first === undefined || last === undefined) throw new RangeError("the page shows no reading");
  const readings = readingsOf(await sensor.toEnd()).map(({ timeMs, celsius }) => ({ timeMs, celsius }));
  expect(shown).toEqual(readings.filter(({ timeMs }) => first.timeMs <= timeMs && timeMs <= last.timeMs));
  const windowStartMs = last.timeMs - 100_000;
  expect(first.timeMs).toBe(readings.find(({ timeMs }) => timeMs >= windowStartMs)?.timeMs);
  expect((readings.at(-1)?.timeMs ?? 0) - last.timeMs, "the page is behind").toBeLessThan(2_000);
}

/** The tile's number is that of brute force for the window whose end it names. */
async function expectTile(
  page: Page,
  name: string,
  table: () => Promise<Map<string, number | null>>,
): Promise<void> {
  await waitFor(`the tile ${name} to agree with brute force`, async () => {
    const tile = (await textOf(page, `tile-${name}`)).replaceAll("−", "-");
    const [, number, until] = /last \d+ s ?(-?[\d.]+)(?: °C)? ?until (\d\d:\d\d:\d\d)/.exec(tile) ?? [];
    if (number === undefined || until === undefined) throw new RangeError(`the tile says "${tile}"`);
    const end = new Date(`${new Date().toDateString()} ${until}`).getTime();
    const computed = (await table()).get(`${name}/machine-01/${end}`);
    if (computed === undefined || computed === null || Math.abs(computed - Number(number)) > 0.0051)
      throw new RangeError(`the tile says "${tile}", brute force ${computed}`);
    return true;
  });
}
