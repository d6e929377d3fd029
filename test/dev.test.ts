/** `npm run dev`: whichever process is killed, the page says what is wrong meanwhile and is well again by itself. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ToSupervisor } from "@kelvin/service-kit";
import { isChromiumMissing, launchChromium, waitFor } from "@kelvin/test-kit";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive, programsOf } from "../tools/supervise/processes.test-support.ts";

const DEV = fileURLToPath(new URL("../tools/dev.ts", import.meta.url));
/** Every state that the page is in, reported to the test; it continues over reloads. */
const TELL_STATES = `setInterval(() => {
  const shown = document.querySelector("[data-testid=status]")?.dataset.state;
  for (const state of [shown, ...(window.__kelvin?.states() ?? [])]) if (state) window.told(state);
}, 50)`;

describe.skipIf(isChromiumMissing || process.platform === "win32")(
  "the page of npm run dev (skipped where there is no Chromium)",
  () => {
    let dev: ChildProcess;
    let browser: Browser;
    let page: Page;
    const told = new Set<string>();

    beforeAll(async () => {
      const { PATH, HOME } = process.env;
      dev = fork(DEV, [], {
        env: { PATH, HOME, NO_COLOR: "1", PORT: "0", KAFKA_PORT: "0", LOG_LEVEL: "warn" },
        execArgv: [],
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      });
      const [message] = await once(dev, "message");
      const ready = ToSupervisor.parse(message);
      if (ready.kelvin !== "ready") throw new TypeError(ready.reason);
      browser = await launchChromium();
      page = await browser.newPage();
      await page.exposeFunction("told", (state: string) => told.add(state));
      await page.addInitScript(TELL_STATES);
      await page.goto(ready.url ?? "");
      await isWell();
    }, 60_000);

    afterAll(async () => {
      await browser?.close();
      const pids = [...programsOf(dev).values()];
      dev.kill("SIGINT");
      await waitFor("all programs to end", () => pids.every((pid) => !isAlive(pid)), { timeoutMs: 20_000 });
    });

    /** Live, with the numbers of both pipelines, and with nothing to complain of. */
    const isWell = () =>
      waitFor(
        "a page that is well",
        async () => {
          const number = async (name: string) =>
            /\d/.test((await page.getByTestId(`tile-${name}-value`).textContent({ timeout: 100 })) ?? "");
          const states: unknown = await page.evaluate("window.__kelvin.states()");
          const isAlone = Array.isArray(states) && states.length === 1 && states[0] === "live";
          return isAlone && (await number("alert_count")) && (await number("average_temperature"));
        },
        { timeoutMs: 40_000 },
      );

    /** Each time it is killed again, it is started again later: that leaves the page time to notice. */
    async function kill(name: string, times: number): Promise<void> {
      const killed = new Set<number>();
      while (killed.size < times) {
        const pid = await waitFor(`${name} to run`, () => {
          const running = programsOf(dev).get(name);
          return running !== undefined && !killed.has(running) ? running : undefined;
        });
        process.kill(pid, "SIGKILL");
        killed.add(pid);
      }
    }

    test.each([
      ["broker", 1, "kafka-down"],
      ["dashboard", 1, "connecting"],
      ["page", 1, "connecting"],
      ["producer", 3, "stale"],
      ["stream-processor", 3, "pipeline-behind"],
    ])(
      "a killed %s (%i times) is told as %s, and then all is well again",
      async (name, times, state) => {
        told.clear();
        await kill(name, times);
        await expect.poll(() => [...told], { timeout: 20_000, interval: 50 }).toContain(state);
        await isWell();
      },
      60_000,
    );
  },
);
