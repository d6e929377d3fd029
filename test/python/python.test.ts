/**
 * The tutorial's way of doing it, quixstreams and streamlit, beside our services and in their place: on the embedded
 * broker, and on the Kafka that KAFKA_BROKERS names. docs/python.md says what comes of it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Alert, Kpi } from "@kelvin/schema";
import { followTopic, isChromiumMissing, type LoggedRecord, launchChromium, waitFor } from "@kelvin/test-kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import {
  ALERT_COUNT,
  AVERAGE_TEMPERATURE,
  alertsOf,
  DASHBOARD,
  expectedKpis,
  installation,
  PROCESSOR,
  PRODUCER,
  readingsOf,
} from "../support/index.ts";
import { missing, PythonProgram } from "./python-program.ts";

const noQuixstreams = missing("quixstreams");
const noChromium = isChromiumMissing ? "there is no Chromium" : undefined;
const noPage = noQuixstreams ?? noChromium;
const noStreamlit = missing("quixstreams", "streamlit") ?? noChromium;

let stateFolder: string;
beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), "kelvin-python-"));
});
afterEach(() => rm(stateFolder, { recursive: true, force: true }));

describe.skipIf(noQuixstreams !== undefined)(`quixstreams${because(noQuixstreams)}`, () => {
  test("its producer feeds our pipelines, and its keys find our partitions", async () => {
    await using plant = await installation();
    await using processor = plant.start(PROCESSOR);
    await processor.ready();
    await using sensor = await followTopic(plant.brokers, plant.topics.sensor);
    await using alert = await followTopic(plant.brokers, plant.topics.alert);
    await using kpi = await followTopic(plant.brokers, plant.topics.kpi);
    const devices = ["python-01", "python-02", "python-03"];
    const producers = devices.map(
      (device) =>
        new PythonProgram(["producer.py"], {
          ...plant.env,
          DEVICE_ID: device,
          BASE_CELSIUS: "31",
          INTERVAL_SECONDS: "0.2",
        }),
    );
    try {
      await waitFor("KPIs of all of them", () => new Set(devicesOf(kpi.records)).size === 3, {
        timeoutMs: 60_000,
      });
    } finally {
      await Promise.all(producers.map((producer) => producer.stop()));
    }

    const readings = readingsOf(await sensor.toEnd());
    expect(readings).toHaveLength(sensor.records.length);
    const tooHot = readings.filter(({ celsius }) => celsius + 273.15 > 303);
    await waitFor("every alert", async () => (await alert.toEnd()).length >= tooHot.length);
    expect(sorted(alertsOf(alert.records))).toEqual(sorted(tooHot));
    // kafkajs' default partitioner is Kafka's own: alerts, which we keyed, show where a device belongs.
    const home = (records: readonly LoggedRecord[]) =>
      new Map(records.map(({ key, partition }) => [key, partition]));
    const homes = home(sensor.records);
    for (const [device, partition] of home(alert.records))
      expect([device, homes.get(device)]).toEqual([device, partition]);
  });

  test("its consumer reads our three topics, record by record", async () => {
    await using plant = await installation();
    await using processor = plant.start(PROCESSOR, { START_FROM: "earliest" });
    await using producer = plant.start(PRODUCER, { DEVICES: "3", INTERVAL_MS: "200", BASE_CELSIUS: "31" });
    await Promise.all([processor.ready(), producer.ready()]);
    const { sensor, alert, kpi } = plant.topics;
    await using consumer = new PythonProgram(["consumer.py", sensor, alert, kpi], plant.env);
    const logs = await Promise.all([sensor, alert, kpi].map((topic) => followTopic(plant.brokers, topic)));
    try {
      await waitFor("records in all topics", () => logs.every(({ records }) => records.length > 20), {
        timeoutMs: 40_000,
      });
      await producer.stop();
      await processor.stop();
      const lying = (await Promise.all(logs.map((log) => log.toEnd()))).flat();
      const isSeen = () => consumer.lines.filter((line) => line.startsWith("{")).length >= lying.length;
      await waitFor("all of them in Python", isSeen, { timeoutMs: 40_000 });
      const seen = consumer.lines
        .filter((line) => line.startsWith("{"))
        .map((line) => Seen.parse(JSON.parse(line)));
      const written = [sensor, alert, kpi].flatMap((topic, i) =>
        (logs[i]?.records ?? []).map(({ timestampMs, offset, value, partition, key, headers }) => {
          const parsed: unknown = JSON.parse(value ?? "");
          const timestamp = timestampMs;
          return { topic, partition, offset: Number(offset), timestamp, key, headers, value: parsed };
        }),
      );
      expect(sorted(seen)).toEqual(sorted(written));
    } finally {
      await Promise.all(logs.map((log) => log.close()));
    }
  });

  test("its pipelines beside ours, in their own topics, come to the same results", async () => {
    await using plant = await installation();
    await using processor = plant.start(PROCESSOR, { START_FROM: "earliest" });
    await using producer = plant.start(PRODUCER, { DEVICES: "2", INTERVAL_MS: "200", BASE_CELSIUS: "31" });
    await Promise.all([processor.ready(), producer.ready()]);
    const own = {
      ...plant.env,
      GROUP_PREFIX: `${plant.env["GROUP_PREFIX"]}-python`,
      ALERT_TOPIC: `${plant.topics.alert}-python`,
      KPI_TOPIC: `${plant.topics.kpi}-python`,
      STATE_DIR: stateFolder,
    };
    await using _alert = await started("alert", own);
    await using _count = await started("alert-count", own);
    await using _mean = await started("average-temperature", own);
    await using sensor = await followTopic(plant.brokers, plant.topics.sensor);
    await using alert = await followTopic(plant.brokers, plant.topics.alert);
    await using theirAlert = await followTopic(plant.brokers, own.ALERT_TOPIC);
    await using theirKpi = await followTopic(plant.brokers, own.KPI_TOPIC);

    await waitFor("their KPIs of three windows", () => countsOf(theirKpi.records).length >= 6, {
      timeoutMs: 60_000,
    });
    await producer.stop();
    await sensor.toEnd();
    const tooHot = readingsOf(sensor.records).filter(({ celsius }) => celsius + 273.15 > 303);
    for (const log of [alert, theirAlert]) {
      await waitFor("every alert", async () => (await log.toEnd()).length >= tooHot.length);
    }
    const values = (records: readonly LoggedRecord[]) =>
      sorted(records.map(({ value }) => Alert.parse(JSON.parse(value ?? ""))));
    expect(values(theirAlert.records)).toEqual(values(alert.records));

    // What a window holds is the same, be it told once when it is over, or each second over the trailing time.
    const told = new Map(
      (await theirKpi.toEnd()).map(({ value }) => {
        const kpi = Kpi.parse(JSON.parse(value ?? ""));
        return [`${kpi.name}/${kpi.device_id}/${Date.parse(kpi.window_end)}`, kpi.value];
      }),
    );
    const truth = new Map([
      ...expectedKpis(alertsOf(alert.records), ALERT_COUNT),
      ...expectedKpis(readingsOf(sensor.records), AVERAGE_TEMPERATURE),
    ]);
    const wrong = [...told].filter(
      ([cell, value]) => Math.abs((truth.get(cell) ?? Number.NaN) - (value ?? 0)) > 0.0051,
    );
    expect(wrong).toEqual([]);
    expect(told.size).toBeGreaterThan(20);
  });

  test("one that is killed and loses its disk has its windows again from its changelog", async () => {
    await using plant = await installation();
    await using producer = plant.start(PRODUCER, { INTERVAL_MS: "200" });
    await producer.ready();
    const own = { ...plant.env, STATE_DIR: stateFolder, SESSION_TIMEOUT_MS: "6000" };
    const first = await started("average-temperature", own);
    await using kpi = await followTopic(plant.brokers, plant.topics.kpi);
    // Ten a reading, so this is 6 s: some of its checkpoints, one a second, lie behind it.
    await waitFor("some means", () => kpi.records.length > 300, { timeoutMs: 30_000 });
    await first.stop("SIGKILL");
    const before = kpi.records.length;
    await rm(stateFolder, { recursive: true });
    await using second = await started("average-temperature", own);
    await second.lineMatching(/Recovery successful/);
    await waitFor("more means", () => kpi.records.length > before + 50, { timeoutMs: 30_000 });
  });
});

describe.skipIf(noPage !== undefined)(`our page${because(noPage)}`, () => {
  test("shows what a quixstreams producer sends, and continues with a quixstreams pipeline in place of ours", async () => {
    await using plant = await installation();
    await using processor = plant.start(PROCESSOR, { PIPELINES: "alert-count,average-temperature" });
    await using dashboard = plant.start(DASHBOARD);
    const [url] = await Promise.all([dashboard.ready(), processor.ready()]);
    await using producer = new PythonProgram(["producer.py"], {
      ...plant.env,
      BASE_CELSIUS: "45",
      INTERVAL_SECONDS: "0.2",
    });
    await using sensor = await followTopic(plant.brokers, plant.topics.sensor);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(url);
      const text = async (testId: string) =>
        ((await page.getByTestId(testId).textContent()) ?? "").replaceAll(/\s+/g, " ").trim();
      await expect.poll(() => text("device"), { timeout: 20_000 }).toBe("python-01");
      // Nobody looks for alerts yet: that there are none is not known.
      await expect.poll(() => text("tile-alert_count-value")).toBe("unknown");

      await using _alert = await started("alert", { ...plant.env, STATE_DIR: stateFolder });
      await expect.poll(() => text("tile-alert_count-value"), { timeout: 30_000 }).toMatch(/^[1-9]\d*$/);
      await expect.poll(() => text("tile-average_temperature-value")).toMatch(/^\d\d\.\d\d °C$/);
      await expect.poll(() => page.locator("main").getAttribute("data-flow")).toBe("live");
      expect(await page.getByTestId("episodes").textContent()).toContain("python-01");

      await producer.stop();
      const last = readingsOf(await sensor.toEnd()).at(-1);
      await expect.poll(() => text("value")).toBe(`${last?.celsius.toFixed(2)} °C`);
    } finally {
      await browser.close();
    }
  });
});

describe.skipIf(noStreamlit !== undefined)(`streamlit${because(noStreamlit)}`, () => {
  test("its dashboard shows our readings, alerts and KPIs", async () => {
    await using plant = await installation();
    await using processor = plant.start(PROCESSOR);
    await using producer = plant.start(PRODUCER, { INTERVAL_MS: "500", BASE_CELSIUS: "40" });
    await Promise.all([processor.ready(), producer.ready()]);
    await using sensor = await followTopic(plant.brokers, plant.topics.sensor);
    const options = ["--server.headless=true", "--server.port=0", "--browser.gatherUsageStats=false"];
    await using streamlit = new PythonProgram(
      ["-m", "streamlit", "run", "dashboard.py", ...options],
      plant.env,
    );
    const port = /:(\d+)/.exec(await streamlit.lineMatching(/Local URL|URL: http/))?.[1] ?? "";
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(`http://localhost:${port}`);
      const text = async () =>
        (await page.getByTestId("stApp").allInnerTexts()).join(" ").replaceAll(/\s+/g, " ");
      await expect.poll(text, { timeout: 40_000 }).toMatch(/machine-01 -?\d+\.\d\d °C/);
      await expect.poll(text, { timeout: 20_000 }).toMatch(/Alerts in the last 5 s [1-9]/);
      await expect.poll(text, { timeout: 20_000 }).toMatch(/Average of the last 10 s \d+\.\d\d °C/);
      await expect.poll(text).toMatch(/T\S+Z machine-01: \d+\.\d\d °C/);
      if (process.env["SCREENSHOT"] !== undefined) await page.screenshot({ path: process.env["SCREENSHOT"] });
      const [, shown] = /machine-01 (-?\d+\.\d\d) °C/.exec(await text()) ?? [];
      const recent = readingsOf(sensor.records)
        .slice(-10)
        .map(({ celsius }) => celsius.toFixed(2));
      expect(recent).toContain(shown);
    } finally {
      await browser.close();
    }
  });
});

/** What consumer.py says of a record. */
const Seen = z.strictObject({
  topic: z.string(),
  partition: z.number(),
  offset: z.number(),
  timestamp: z.number(),
  key: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  value: z.unknown(),
});

/** A pipeline in Python that has begun to read. */
async function started(pipeline: string, env: Readonly<Record<string, string>>): Promise<PythonProgram> {
  const program = new PythonProgram(["pipelines.py", pipeline], env);
  await program.lineMatching(/now processing incoming messages/);
  return program;
}

const devicesOf = (records: readonly LoggedRecord[]) => records.map(({ key }) => key);

const countsOf = (records: readonly LoggedRecord[]) =>
  records.map(({ value }) => Kpi.parse(JSON.parse(value ?? ""))).filter((kpi) => kpi.name === "alert_count");

function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (skipped: ${reason})`;
}

function sorted<T>(values: readonly T[]): T[] {
  const text = new Map(values.map((value) => [value, JSON.stringify(value)]));
  return values.toSorted((a, b) => ((text.get(a) ?? "") < (text.get(b) ?? "") ? -1 : 1));
}
