/** `npm run bench -- page`: sensor to pixel, first chart, heap and script size, on Kafka, server and Chromium as they run. */
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { launchChromium } from "@kelvin/test-kit";
import type { Browser, Page } from "playwright-core";
import { DASHBOARD, installation } from "../../test/support/index.ts";
import { buildPageWhenNeeded } from "../../tools/page/build.ts";
import { root } from "../../tools/system/layout.ts";
import { type Goal, percentile, report, slope } from "../goals.ts";
import { sendPast, sendSteadily } from "./devices.ts";
import { pixelLatencies, watchFirstChart } from "./in-page.ts";
import { traced } from "./main-thread.ts";
import { scriptSize } from "./size.ts";

const { values: options } = parseArgs({
  options: {
    /** How long each rate is measured. */
    seconds: { type: "string", default: "20" },
    /** Readings a second in all, and of how many devices. */
    rates: { type: "string", default: "10x1,500x10,1000x100,10000x10" },
    /** Some of pixel, first, heap and size. */
    parts: { type: "string", default: "pixel,first,heap,size" },
    /** How long the heap is watched after the chart is full; 0: not at all. */
    minutes: { type: "string", default: "3" },
  },
});
/** The server would choose the worst: one of an earlier part, silent by now. */
const pageOf = (dashboardUrl: string) => `${dashboardUrl}?device=machine-01`;
const DESK = { width: 1280, height: 800 };
const FULL_MS = 100_000;
/** Up to so many readings a second each is drawn by itself. */
const FEW = 10;
const FIRST_CHARTS = 10;
/** Chromium draws a new window's own surroundings first. */
const WINDOW_SETTLES_MS = 1_500;
/** Readings on a full chart of one device with one reading a second, its edges left open. */
const FULL_COUNT = 95;

await buildPageWhenNeeded(root, () => console.log("Building the page ..."));
await using plant = await installation();
await using dashboard = plant.start(DASHBOARD, { LOG_LEVEL: "fatal" });
const url = await dashboard.ready();
const browser = await launchChromium();
try {
  const parts = new Set(options.parts.split(","));
  const heapMinutes = parts.has("heap") ? Number(options.minutes) : 0;
  const goals: Goal[] = [];
  if (parts.has("pixel")) {
    for (const rate of options.rates.split(",")) {
      const [perSecond = 10, count = 1] = rate.split("x").map(Number);
      goals.push(...(await sensorToPixel(perSecond, count)));
    }
  }
  if (parts.has("first")) goals.push(...(await firstChart()));
  if (heapMinutes > 0) goals.push(...(await heapOverTime(heapMinutes)));
  if (parts.has("size")) goals.push(scriptSize());
  report(goals);
} finally {
  await browser.close();
}

async function sensorToPixel(perSecond: number, count: number): Promise<Goal[]> {
  const [must, aim] = perSecond <= FEW ? [200, 50] : [400, 150];
  await using _devices = await sendSteadily(plant.brokers, plant.topics.sensor, { count, perSecond });
  const page = await openLive(browser);
  const lastsMs = Number(options.seconds) * 1000;
  const before = await drawsOf(page);
  const { result, cpuMs, longestMs, longestCpuMs } = await traced(browser, page, () =>
    page.evaluate(pixelLatencies, lastsMs),
  );
  const { latenciesMs, longTasks } = result;
  const perDrawMs = cpuMs / Math.max(1, (await drawsOf(page)) - before);
  await page.close();
  const at = `${perSecond} readings/s of ${count} device${count === 1 ? "" : "s"}`;
  console.log(
    `sensor to pixel at ${at}: ${latenciesMs.length} readings of the shown one, ` +
      `p50 ${percentile(latenciesMs, 0.5).toFixed(0)} ms, p99 ${percentile(latenciesMs, 0.99).toFixed(0)} ms; ` +
      `${longTasks} tasks over 50 ms, the longest ${longestMs.toFixed(0)} ms; ` +
      `${longestCpuMs.toFixed(0)} ms of processor time at most, ${perDrawMs.toFixed(1)} ms a draw`,
  );
  return [
    { what: `sensor to pixel, p50, ${at}`, value: percentile(latenciesMs, 0.5), must, aim, unit: "ms" },
    { what: `sensor to pixel, p99, ${at}`, value: percentile(latenciesMs, 0.99), must, aim, unit: "ms" },
    { what: `tasks over 50 ms, ${at}`, value: longTasks, must: 0, aim: 0, unit: "" },
    // By the wall clock a task is as long as the machine is busy elsewhere.
    { what: `longest task's CPU, ${at}`, value: longestCpuMs, must: 50, aim: 50, unit: "ms", isGate: true },
    { what: `page CPU per draw, ${at}`, value: perDrawMs, must: 40, aim: 16, unit: "ms", isGate: true },
  ];
}

function drawsOf(page: Page): Promise<number> {
  return page.evaluate(() => Reflect.get(globalThis, "__kelvin")?.counters().draws);
}

async function firstChart(): Promise<Goal[]> {
  await sendPast(plant.brokers, plant.topics.sensor, FULL_MS / 1_000);
  await using _devices = await sendSteadily(plant.brokers, plant.topics.sensor, { count: 1, perSecond: 1 });
  // Of its own: it reads what was before its start.
  await using later = plant.start(DASHBOARD, { LOG_LEVEL: "fatal" });
  const laterUrl = await later.ready();
  const samples: number[] = [];
  for (let i = 0; i < FIRST_CHARTS; i++) {
    // A context of its own, so with an empty cache; the window has been opened before the clock starts.
    const page = await browser.newPage({ viewport: DESK });
    await page.addInitScript(watchFirstChart, FULL_COUNT);
    await wait(WINDOW_SETTLES_MS);
    await page.goto(pageOf(laterUrl));
    const painted = await page.waitForFunction(() => Reflect.get(globalThis, "chartPaintedMs"));
    samples.push(Number(await painted.jsonValue()));
    await page.close();
  }
  console.log(`first chart: ${samples.map((sample) => sample.toFixed(0)).join(", ")} ms`);
  const value = percentile(samples, 0.5);
  return [{ what: "navigation to a painted chart, median", value, must: 300, aim: 150, unit: "ms" }];
}

/** Live bytes after a collection, every 10 s from a full chart on; grown to an hour. What is still warmed up grows, too. */
async function heapOverTime(minutes: number): Promise<Goal[]> {
  await using _devices = await sendSteadily(plant.brokers, plant.topics.sensor, {
    count: 10,
    perSecond: 100,
  });
  const page = await openLive(browser);
  const session = await page.context().newCDPSession(page);
  console.log("Waiting for a full chart of 10 readings/s ...");
  await wait(FULL_MS + 10_000);
  const points: { x: number; y: number }[] = [];
  for (const endMs = performance.now() + minutes * 60_000; performance.now() < endMs; ) {
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    points.push({ x: performance.now() / 3_600_000, y: usedSize / 1e6 });
    await wait(10_000);
  }
  await page.close();
  const sizes = points.map(({ y }) => y);
  console.log(
    `heap over ${minutes} min at 100 readings/s: from ${sizes[0]?.toFixed(2)} to ${sizes.at(-1)?.toFixed(2)} MB, ` +
      `at most ${Math.max(...sizes).toFixed(2)} MB`,
  );
  return [{ what: "page heap growth in an hour", value: slope(points), must: 10, aim: 1, unit: "MB" }];
}

async function openLive(chromium: Browser): Promise<Page> {
  const page = await chromium.newPage({ viewport: DESK });
  await page.goto(pageOf(url));
  // No pipeline runs: that readings come in is not the worst truth.
  await page.waitForFunction(() => Reflect.get(globalThis, "__kelvin")?.states().includes("live"));
  return page;
}
