/** `npm run screenshot`: starts the system on free ports, lets it run until the chart is full, and takes screenshots of it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { reasonOf } from "@kelvin/service-kit";
import { launchChromium } from "@kelvin/test-kit";
import type { Browser } from "playwright-core";
import { readArguments } from "./people/arguments.ts";
import { runTool, ToolError } from "./supervise/errors.ts";
import { root } from "./system/layout.ts";

const HELP = `npm run screenshot      Starts the system on free ports, waits until its chart is full (100 s), and takes screenshots of the page:
                        docs/images/dashboard-light.png and docs/images/dashboard-dark.png.

  -- --url <address>      a dashboard that is already running
  -- --devices <n>        simulated machines (default 3)`;

const FOLDER = join(root, "docs", "images");
const SIZE = { width: 1280, height: 800 };
const SCHEMES = ["light", "dark"] as const;
/** The chart shows 100 s; a reading a second leaves its ends a little open. */
const FULL_MS = 97_000;
const START_TIMEOUT_MS = 120_000;
const FULL_TIMEOUT_MS = 150_000;

await runTool(async () => {
  const { values } = readArguments(HELP, [], { url: { type: "string" }, devices: { type: "string" } });
  const browser = await launchChromium().catch((cause: unknown) => {
    throw new ToolError(reasonOf(cause), { exitCode: 2, cause });
  });
  try {
    if (values.url !== undefined) await photograph(browser, values.url);
    else await withSystem(values.devices ?? "3", (url) => photograph(browser, url));
  } finally {
    await browser.close();
  }
  return 0;
});

/** Lends the address of a dashboard with all that belongs to it. */
async function withSystem(devices: string, work: (url: string) => Promise<void>): Promise<void> {
  const { KAFKA_BROKERS: _, ...environment } = process.env;
  const system = fork(join(root, "tools", "demo.ts"), ["--devices", devices], {
    env: { ...environment, PORT: "0", KAFKA_PORT: "0", LOG_LEVEL: "fatal" },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const ended = once(system, "exit");
  try {
    const url = new Promise<string>((resolve) => {
      let output = "";
      system.stdout?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const [, found] = /running: (\S+)/.exec(output) ?? [];
        if (found !== undefined) resolve(found);
      });
    });
    const failed = ended.then(([code]): never => {
      throw new ToolError(`The system exited (${code}) before the screenshot was taken.`);
    });
    await Promise.race([url.then(work), failed, tooLong()]);
  } finally {
    if (system.exitCode === null) system.kill("SIGTERM");
    await ended;
  }
}

function tooLong(): Promise<never> {
  return new Promise((_, reject) => {
    const allMs = START_TIMEOUT_MS + FULL_TIMEOUT_MS;
    setTimeout(() => reject(new ToolError(`No screenshot within ${allMs / 1000} s.`)), allMs).unref();
  });
}

async function photograph(browser: Browser, url: string): Promise<void> {
  console.log(`Waiting for a full chart at ${url} ...`);
  await mkdir(FOLDER, { recursive: true });
  for (const colorScheme of SCHEMES) {
    const page = await browser.newPage({ viewport: SIZE, deviceScaleFactor: 1.5, colorScheme });
    await page.goto(url);
    await page.waitForFunction(isFull, FULL_MS, { timeout: FULL_TIMEOUT_MS, polling: 250 });
    const file = join(FOLDER, `dashboard-${colorScheme}.png`);
    await page.screenshot({ path: file });
    await page.close();
    console.log(relative(process.cwd(), file));
  }
}

/**
 * Runs in the page, whose own account of what it shows is `window.__kelvin` (services/dashboard/page). Readings that came
 * after the first draw show that all is drawn.
 */
function isFull(fullMs: number): boolean {
  interface Account {
    series(): { timeMs: number }[];
    states(): string[];
    counters(): { received: number };
  }
  const page: Account | undefined = Reflect.get(globalThis, "__kelvin");
  if (page === undefined || page.states().join() !== "live" || page.counters().received < 3) return false;
  const times = page.series().map(({ timeMs }) => timeMs);
  return (times.at(-1) ?? 0) - (times[0] ?? 0) >= fullMs;
}
