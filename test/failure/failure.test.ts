/**
 * Three processors, two dashboards, 12 partitions and 1,000 devices on an Apache Kafka; a processor, a dashboard and the
 * broker are killed (kill -9). Nothing may be lost, and all KPIs must be those of brute force. Prints its figures.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createTopics,
  followTopic,
  type RunningService,
  startService,
  type TopicLog,
  waitFor,
} from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { expect, test } from "vitest";
import { startApacheKafka } from "../../tools/kafka/apache-kafka.ts";
import { freePorts } from "../../tools/kafka/ports.ts";
import {
  ALERT_COUNT,
  AVERAGE_TEMPERATURE,
  alertsOf,
  DASHBOARD,
  expectedKpis,
  kpiTable,
  PROCESSOR,
  PRODUCER,
  readingsOf,
  type TimedValue,
} from "../support/index.ts";
import { openPage, type PageSocket } from "./page-socket.ts";

const DEVICES = 1_000;
const PARTITIONS = 12;
const STEADY_MS = 25_000;
const BROKER_AWAY_MS = 10_000;
const BACK_WITHIN_MS = 10_000;

const figures: Record<string, string> = {};
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

test("kill -9 of a processor, a dashboard and the broker loses nothing", async () => {
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => printFigures());
  const folder = await mkdtemp(join(tmpdir(), "kelvin-failure-"));
  cleanUp.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const [port = 0, pageA = 0, pageB = 0] = await freePorts(3);
  let kafka = await startApacheKafka({ port, folder });
  cleanUp.defer(() => kafka.stop());
  await createPipelineTopics(kafka.brokers);

  const env = { KAFKA_BROKERS: kafka.brokers.join(","), NODE_ENV: "production" };
  const start = (main: string, settings: Readonly<Record<string, string>> = {}): RunningService =>
    cleanUp.use(startService({ main, env: { ...env, START_FROM: "earliest", ...settings } }));
  const dashboardOn = (pagePort: number) => start(DASHBOARD, { PORT: String(pagePort) });

  const processors = [start(PROCESSOR), start(PROCESSOR), start(PROCESSOR)];
  const dashboards = [dashboardOn(pageA), dashboardOn(pageB)];
  const urls = await Promise.all([...processors, ...dashboards].map((service) => service.ready(60_000)));
  const producer = start(PRODUCER, { DEVICES: String(DEVICES), BUFFER_READINGS: "100000" });
  urls.push(await producer.ready());
  const pages = [pageA, pageB].map((pagePort) => openPage(`http://localhost:${pagePort}`, "machine-01"));
  cleanUp.defer(() => {
    for (const page of pages) page.close();
  });
  await Promise.all(pages.map((page) => waitFor("the first reading on a page", () => page.newestMs > 0)));

  const before = await Promise.all(urls.map(loadOf));
  await sleep(STEADY_MS);
  const after = await Promise.all(urls.map(loadOf));
  for (const [index, name] of [
    ...["processor 1", "processor 2", "processor 3"],
    ...["dashboard 1", "dashboard 2"],
    "producer",
  ].entries()) {
    const [from, to] = [before[index], after[index]];
    if (from === undefined || to === undefined) continue;
    const cores = (to.cpuSeconds - from.cpuSeconds) / (STEADY_MS / 1000);
    figures[`${name}, steady`] =
      `${(100 * cores).toFixed(0)} % of a core, ${Math.round(to.residentBytes / 1e6)} MB`;
  }

  const killedProcessorMs = Date.now();
  await processors[0]?.kill();
  // Its partitions wait for the group's session timeout (6 s), and only then for another processor.
  const isBehind = () =>
    pages.some(({ health }) => health?.pipelines.some(({ state }) => state !== "up-to-date"));
  await waitFor("the pages to call a pipeline behind", isBehind, { timeoutMs: 10_000 }).catch(() => {});
  figures["processor killed: all pipelines up to date again after"] = await upToDate(
    pages,
    killedProcessorMs,
  );
  const replacement = start(PROCESSOR);
  await replacement.ready(60_000);
  await sleep(5_000);

  await dashboards[0]?.kill();
  const killedDashboardMs = Date.now();
  dashboards[0] = dashboardOn(pageA);
  figures["dashboard killed, started again: its page is live after"] = await live(
    pages[0],
    killedDashboardMs,
  );
  await sleep(5_000);

  process.kill(kafka.pid, "SIGKILL");
  const awayMs = Date.now();
  await waitFor("the pages to tell it", () => pages.every((page) => page.health?.kafka.up === false), {
    timeoutMs: BROKER_AWAY_MS,
  });
  figures["broker killed: both pages tell it after"] = seconds(Date.now() - awayMs);
  await waitFor("health to turn bad", async () => !(await isReady(urls[1])), { timeoutMs: BROKER_AWAY_MS });
  await sleep(Math.max(0, awayMs + BROKER_AWAY_MS - Date.now()));
  kafka = await startApacheKafka({ port, folder, keepData: true });
  const backMs = Date.now();
  figures["broker away for"] = seconds(backMs - awayMs);
  const recovered = await Promise.all(pages.map((page) => live(page, backMs)));
  figures["broker back: the pages are live after"] = recovered.join(" and ");
  figures["broker back: all pipelines up to date after"] = await upToDate(pages, backMs);
  await waitFor("health to be good again", () => isReady(urls[1]), { timeoutMs: 30_000 });
  figures["broker back: /readyz good after"] = seconds(Date.now() - backMs);
  for (const recovery of recovered) expect(Number.parseFloat(recovery) * 1000).toBeLessThan(BACK_WITHIN_MS);
  await sleep(STEADY_MS);

  expect((await producer.stop()).code).toBe(0);
  const alive = [...processors.slice(1), replacement, ...dashboards];
  await judge(kafka.brokers);
  for (const end of await Promise.all(alive.map((service) => service.stop()))) expect(end.code).toBe(0);
});

/** Also where the test fails: how far it came, and what it had measured by then. */
function printFigures(): void {
  figures["load of the machine at the end, by its cores"] = `${loadavg()[0]?.toFixed(1)} by ${cpus().length}`;
  for (const [what, value] of Object.entries(figures)) console.log(`${what}: ${value}`);
}

async function judge(brokers: readonly string[]): Promise<void> {
  await using sensor = await followTopic(brokers, "sensor");
  const readings = readingsOf(await whole(sensor));
  const byDevice = Map.groupBy(readings, ({ device }) => device);
  expect(byDevice.size).toBe(DEVICES);
  const gaps = [...byDevice].flatMap(([device, own]) => {
    const times = [...new Set(own.map(({ timeMs }) => timeMs))].sort((a, b) => a - b);
    return times.flatMap((time, i) =>
      i > 0 && time - (times[i - 1] ?? 0) > 1_500 ? [`${device} ${time}`] : [],
    );
  });
  expect(gaps).toEqual([]);
  figures["readings"] =
    `${readings.length}, ${readings.length - distinct(readings).size} of them twice, none missing`;

  await using alert = await followTopic(brokers, "alert");
  const tooHot = distinct(readings.filter(({ celsius }) => celsius + 273.15 > 303));
  const isTold = async () => distinct(alertsOf(await whole(alert))).size >= tooHot.size;
  await waitFor("every alert", isTold, { timeoutMs: 60_000, everyMs: 1_000 });
  const alerts = alertsOf(alert.records);
  expect([...distinct(alerts)].filter((each) => !tooHot.has(each))).toEqual([]);
  figures["alerts"] = `${tooHot.size}, ${alerts.length - tooHot.size} of them twice, none missing`;

  const expected = new Map([
    ...byBruteForce(alerts, ALERT_COUNT),
    ...byBruteForce(readings, AVERAGE_TEMPERATURE),
  ]);
  await using kpi = await followTopic(brokers, "kpi");
  let wrong: string[] = [];
  const isComplete = async () => {
    const table = kpiTable(await whole(kpi));
    wrong = [...expected].flatMap(([cell, value]) =>
      isSame(table.get(cell), value) ? [] : [`${cell} is ${table.get(cell)}, not ${value}`],
    );
    return wrong.length === 0 && table.size === expected.size;
  };
  await waitFor("every KPI", isComplete, { timeoutMs: 60_000, everyMs: 2_000 }).catch(() => {});
  expect({ cells: kpiTable(kpi.records).size, wrong: wrong.slice(0, 20) }).toEqual({
    cells: expected.size,
    wrong: [],
  });
  figures["KPIs"] = `${expected.size}, all as by brute force (${kpi.records.length} records)`;
}

/** Device by device, so that it takes seconds and not hours. */
function byBruteForce(values: readonly TimedValue[], rule: Parameters<typeof expectedKpis>[1]) {
  const devices = [...Map.groupBy(values, ({ device }) => device).values()];
  return new Map(devices.flatMap((own) => [...expectedKpis(own, rule)]));
}

/** The topic carries 2 decimals. */
function isSame(told: number | null | undefined, computed: number | null): boolean {
  if (typeof told !== "number" || computed === null) return told === computed;
  return Math.abs(told - computed) <= 0.005 + 1e-9;
}

function distinct(values: readonly TimedValue[]): Set<string> {
  return new Set(values.map(({ device, timeMs, celsius }) => `${device} ${timeMs} ${celsius}`));
}

const whole = (log: TopicLog) =>
  waitFor("a topic's end", () => log.toEnd(), { timeoutMs: 120_000, everyMs: 200 });

/** How long from `sinceMs` until the page shows a reading of after it. */
async function live(page: PageSocket | undefined, sinceMs: number): Promise<string> {
  await waitFor("a live page", () => (page?.newestMs ?? 0) > sinceMs, { timeoutMs: 60_000, everyMs: 20 });
  return seconds(Date.now() - sinceMs);
}

async function upToDate(pages: readonly PageSocket[], sinceMs: number): Promise<string> {
  const isUpToDate = ({ health }: PageSocket) =>
    health !== undefined &&
    health.nowMs > sinceMs + 1_000 &&
    health.kafka.up &&
    health.pipelines.every(({ state }) => state === "up-to-date");
  await sleep(2_000); // until the watch has looked once
  await waitFor("all pipelines up to date", () => pages.every(isUpToDate), { timeoutMs: 90_000 });
  return seconds(Date.now() - sinceMs);
}

async function isReady(url: string | undefined): Promise<boolean> {
  return (await fetch(new URL("/readyz", url))).ok;
}

async function loadOf(url: string): Promise<{ cpuSeconds: number; residentBytes: number }> {
  const text = await (await fetch(new URL("/metrics", url))).text();
  const value = (name: string) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, "m").exec(text)?.[1]);
  return {
    cpuSeconds: value("process_cpu_seconds_total"),
    residentBytes: value("process_resident_memory_bytes"),
  };
}

async function createPipelineTopics(brokers: readonly string[]): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await createTopics(
    admin,
    ["sensor", "alert", "kpi"].map((topic) => ({ topic, numPartitions: PARTITIONS })),
  );
  await admin.disconnect();
}
