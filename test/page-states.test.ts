/**
 * Every state of the page, each really caused in a running system: what is not started, killed, sent or cut is told, in
 * dark and light, on a desk and a phone, without a violation for axe, and photographed to `artefacts/page`. Where the
 * page names a command, it is typed as it stands, and ends the state.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { sensorTopic, utc } from "@kelvin/schema";
import {
  axeViolations,
  isChromiumMissing,
  launchChromium,
  type RunningService,
  startService,
} from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DASHBOARD, PROCESSOR } from "./support/index.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Kept for people to look at; not in git. */
const PHOTOGRAPHS = `${ROOT}artefacts/page/`;
const SCREENS = { desk: { width: 1280, height: 800 }, phone: { width: 320, height: 720 } };
const SLOW = { timeout: 40_000, interval: 50 };
/** Waves of 5 s, so that the machine is soon too hot and its alert stays open. */
const MACHINE = { FREQUENCY_HZ: "0.2", INTERVAL_MS: "250", LOG_LEVEL: "fatal" };

describe.skipIf(isChromiumMissing || process.platform === "win32")(
  "every state of the page, really caused (skipped where there is no Chromium)",
  () => {
    let browser: Browser;
    let page: Page;
    let brokers: string;
    const services: RunningService[] = [];
    /** Commands that were typed, each with all that it has started. */
    const typed: ChildProcess[] = [];
    let broker: RunningService;
    let processor: RunningService;
    let dashboard: RunningService;

    beforeAll(async () => {
      await mkdir(PHOTOGRAPHS, { recursive: true });
      broker = start("packages/embedded-kafka/src/main.ts", { KAFKA_PORT: "0" });
      const line = await broker.lineMatching(/listening on/);
      brokers = /listening on (\S+)/.exec(line)?.[1] ?? "";
      processor = start(PROCESSOR);
      dashboard = start(DASHBOARD);
      const [url] = await Promise.all([dashboard.ready(), processor.ready()]);
      browser = await launchChromium();
      page = await browser.newPage({ viewport: SCREENS.desk });
      await page.goto(url);
    });
    // Each state begins where the one before ended.
    let isBroken = false;
    beforeEach((context) =>
      context.skip(isBroken, "the system is not as the state before should have left it"),
    );
    afterEach(({ task }) => {
      isBroken ||= task.result?.state === "fail";
    });
    afterAll(async () => {
      await browser?.close();
      for (const command of typed) end(command);
      for (const service of services) await service.kill();
    });

    function start(main: string, settings: Readonly<Record<string, string>> = {}): RunningService {
      const env = { LOG_LEVEL: "fatal", ...(brokers === undefined ? {} : { KAFKA_BROKERS: brokers }) };
      const service = startService({ main, env: { ...env, ...settings } });
      services.push(service);
      return service;
    }

    /** As an operator does, in a shell at the top of the project. */
    function type(command: string): ChildProcess {
      const { PATH, HOME } = process.env;
      const shell = spawn(command, {
        cwd: ROOT,
        shell: true,
        detached: true,
        stdio: "ignore",
        env: { PATH, HOME, CI: "true", ...MACHINE },
      });
      typed.push(shell);
      return shell;
    }

    test("no data: why, and a command that starts a producer; then live", async () => {
      await tells("no-data", /^No data Kafka is reachable, but topic "sensor" had no readings/);
      await photograph("no data");
      const command = await commandOf("no-data");
      expect(command).toBe(`npm run producer -- PORT=0 KAFKA_BROKERS=${brokers}`);
      type(command);
      await flows("live");
      await photograph("live");
    }, 60_000);

    test("too hot: an open alert, in the bar, above the chart, in the list and in the tab's title", async () => {
      await expect.poll(() => episode().getAttribute("data-state"), SLOW).toBe("ongoing");
      await expect.poll(() => text("alarm-count"), SLOW).toBe("1");
      await expect.poll(() => page.title(), SLOW).toMatch(/^▲ 1 device in alarm · /);
      await isIn("in-alarm");
      await flows("live");
      await photograph("too hot");
    }, 60_000);

    test("a pipeline behind, then dead: alerts are unknown, not open; the command that the page names ends it", async () => {
      process.kill(processor.pid, "SIGSTOP");
      await tells("pipeline-behind", /alert.* (has|have) (been behind|not been running) since/);
      await isIn("pipeline-behind");
      await photograph("pipeline behind");
      await processor.kill();
      await tells(
        "pipeline-behind",
        /alert, alert-count and average-temperature have not been running since/,
      );
      expect(await episode().getAttribute("data-state")).toBe("unknown");
      expect(await text("alarm-count")).toBe("unknown");
      expect(await text("tile-alert_count-value")).toBe("unknown");
      expect(await text("verdict")).toMatch(/unknown/);
      expect(await page.title()).toMatch(/^Pipeline behind · /);
      await photograph("pipeline gone");
      const command = await commandOf("pipeline-behind");
      expect(command).toBe(`npm run stream-processor -- PORT=0 KAFKA_BROKERS=${brokers}`);
      type(command);
      await isIn("in-alarm");
      await expect.poll(() => episode().getAttribute("data-state"), SLOW).toBe("ongoing");
    }, 120_000);

    test("bad data: counted, with position and reason, while valid data is still processed", async () => {
      const { partition, offset } = await send("machine-01", Buffer.from("36.9"));
      await tells("bad-data", new RegExp(`1 record rejected.*sensor\\[${partition}\\] offset ${offset}, `));
      await isIn("in-alarm");
      expect(await text("tile-rejected-value")).toBe("1");
      expect(await states()).toContain("live");
      await photograph("bad data");
    }, 60_000);

    test("a clock ahead: whose, and by how much", async () => {
      const reading = { device_id: "machine-02", temperature: 21.5, timestamp: utc(Date.now() + 60_000) };
      await send("machine-02", Buffer.from(sensorTopic.encode(reading)));
      await tells("clock-ahead", /The clock of machine-02 is ahead of the server's by (1 min|59 s)/);
      await photograph("clock ahead");
    }, 60_000);

    test("paused: since when, and how many new readings", async () => {
      await page.getByTestId("pause").click();
      await tells("paused", /paused at \d\d:\d\d:\d\d; [1-9]\d* new readings? since/);
      await photograph("paused");
      await page.getByTestId("pause").click();
      await expect.poll(() => told("paused").count(), SLOW).toBe(0);
    }, 60_000);

    test("stale: the producer is killed, and its silence is told with its age", async () => {
      const [producer] = typed;
      if (producer !== undefined) end(producer);
      await tells("stale", /have fallen silent|has been silent for/);
      await flows("stale");
      expect(await page.getByTestId("reading").getAttribute("data-state")).toBe("stale");
      await photograph("stale");
    }, 60_000);

    test("Kafka down: the broker is killed, and nothing is known from then on", async () => {
      await broker.kill();
      await tells("kafka-down", /unreachable since .*Showing data up to \d\d:\d\d:\d\d/);
      await isIn("kafka-down");
      expect(await text("alarm-count")).toBe("unknown");
      expect(await text("tile-average_temperature-value")).toBe("unknown");
      await photograph("kafka down");
    }, 60_000);

    test("connecting: the dashboard is killed, and the page shows the last data and reconnects", async () => {
      await dashboard.kill();
      await tells("connecting", /No connection to the dashboard server, attempt [2-9]/);
      await isIn("connecting");
      expect(await page.getByTestId("chart").getAttribute("data-state")).toBe("frozen");
      await photograph("connecting");
    }, 60_000);

    const told = (state: string) => page.locator(`[data-testid=state][data-state=${state}]`);
    const episode = () => page.getByTestId("episode").first();
    const states = () => page.evaluate("window.__kelvin.states()");
    const text = async (testId: string) =>
      ((await page.getByTestId(testId).textContent()) ?? "").replaceAll(/\s+/g, " ").trim();
    const isIn = (state: string) =>
      expect.poll(() => page.getByTestId("status").getAttribute("data-state"), SLOW).toBe(state);
    const flows = (state: string) =>
      expect.poll(() => page.locator("main").getAttribute("data-flow"), SLOW).toBe(state);
    const tells = (state: string, words: RegExp) =>
      expect
        .poll(async () => (await told(state).allTextContents()).join().replaceAll(/\s+/g, " "), SLOW)
        .toMatch(words);
    const commandOf = async (state: string) => (await told(state).locator("code").textContent()) ?? "";

    /** Whole within the screen and legible to axe, in every dress. */
    async function photograph(name: string): Promise<void> {
      for (const [screen, viewport] of Object.entries(SCREENS)) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ["dark", "light"] as const) {
          await page.emulateMedia({ colorScheme });
          // Colours change within 150 ms: axe must not measure one on its way.
          await expect.poll(() => page.evaluate("document.getAnimations().length"), SLOW).toBe(0);
          const file = `${name.replaceAll(" ", "-")}-${screen}-${colorScheme}.png`;
          await page.screenshot({ path: PHOTOGRAPHS + file });
          expect(await axeViolations(page), file).toEqual([]);
        }
        const overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        expect(await page.evaluate(overhang), `${name} on a ${screen}`).toBe(0);
      }
      await page.setViewportSize(SCREENS.desk);
    }

    async function send(key: string, value: Buffer): Promise<{ partition: number; offset: string }> {
      const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      const [sent] = await producer.send({ topic: "sensor", messages: [{ key, value }] });
      await producer.disconnect();
      return { partition: sent?.partition ?? -1, offset: sent?.baseOffset ?? "" };
    }
  },
);

/** kill -9 for all that a typed command has started. */
function end({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(-pid, "SIGKILL");
}
