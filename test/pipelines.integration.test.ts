/** Producer and stream processor as processes of their own: what they write equals what brute force computes. */
import { Alert, type SensorReading } from "@kelvin/schema";
import { followTopic, type TopicLog, waitFor } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { expect, test } from "vitest";
import {
  ALERT_COUNT,
  AVERAGE_TEMPERATURE,
  alertsOf,
  expectedKpis,
  installation,
  kpiTable,
  PROCESSOR,
  PRODUCER,
  readingsOf,
  type TimedValue,
} from "./support/index.ts";

test("alerts and KPIs of a running system equal brute force over its topics", async () => {
  await using plant = await installation();
  await using processor = plant.start(PROCESSOR, { START_FROM: "earliest" });
  await processor.ready();
  await using producer = plant.start(PRODUCER, {
    DEVICES: "3",
    INTERVAL_MS: "100",
    SEED: "7",
    BASE_CELSIUS: "29",
  });
  await producer.ready();
  await using sensor = await followTopic(plant.brokers, plant.topics.sensor);
  await using alert = await followTopic(plant.brokers, plant.topics.alert);
  await using kpi = await followTopic(plant.brokers, plant.topics.kpi);
  await waitFor("a few seconds of readings", () => sensor.records.length >= 150);
  expect((await producer.stop()).code).toBe(0);

  const readings = readingsOf(await sensor.toEnd());
  expect(readings).toHaveLength(sensor.records.length);
  const tooHot = readings.filter(({ celsius }) => celsius + 273.15 > 303);
  expect(tooHot.length).toBeGreaterThan(0);
  await waitFor("every alert", async () => alertsOf(await alert.toEnd()).length >= tooHot.length);
  expect(alert.records).toHaveLength(tooHot.length);
  expect(distinct(alertsOf(alert.records))).toEqual(distinct(tooHot));

  await expectKpisOfBruteForce(sensor, alert, kpi);
  expect((await processor.stop()).code).toBe(0);
});

test("a processor killed in mid-window loses no alert and no KPI", async () => {
  await using plant = await installation();
  await using first = plant.start(PROCESSOR, { START_FROM: "earliest" });
  await first.ready();
  await using producer = plant.start(PRODUCER, {
    DEVICES: "3",
    INTERVAL_MS: "100",
    SEED: "11",
    BASE_CELSIUS: "29",
  });
  await using sensor = await followTopic(plant.brokers, plant.topics.sensor);
  await using alert = await followTopic(plant.brokers, plant.topics.alert);
  await using kpi = await followTopic(plant.brokers, plant.topics.kpi);
  await waitFor("KPIs of the first processor", () => kpi.records.length >= 20);
  await first.kill();
  const atDeath = sensor.records.length;
  await waitFor("readings that nobody processes", () => sensor.records.length >= atDeath + 60);
  await using second = plant.start(PROCESSOR, { START_FROM: "earliest" });
  await second.ready();
  await waitFor("readings for the second", () => sensor.records.length >= atDeath + 120);
  expect((await producer.stop()).code).toBe(0);

  const tooHot = readingsOf(await sensor.toEnd()).filter(({ celsius }) => celsius + 273.15 > 303);
  // At least once: what the first one wrote and could not commit any more is written again.
  await waitFor("every alert", async () => distinct(alertsOf(await alert.toEnd())).length >= tooHot.length);
  expect(distinct(alertsOf(alert.records))).toEqual(distinct(tooHot));
  await expectKpisOfBruteForce(sensor, alert, kpi);
  expect((await second.stop()).code).toBe(0);
});

test("topics deleted while all runs come back, and so does the flow", async () => {
  await using plant = await installation();
  await using processor = plant.start(PROCESSOR);
  await processor.ready();
  await using producer = plant.start(PRODUCER, { INTERVAL_MS: "100", BASE_CELSIUS: "60" });
  await producer.ready();
  const { sensor, alert, kpi } = plant.topics;
  for (const topic of [sensor, alert, kpi]) {
    await using before = await followTopic(plant.brokers, topic);
    await waitFor(`records in ${topic}`, () => before.records.length > 0);
  }
  const deletedMs = Date.now();
  await deleteTopics(plant.brokers, [sensor, alert, kpi]);
  for (const topic of [sensor, alert, kpi]) {
    await waitFor(
      `${topic} to be there again with new records`,
      async () => {
        await using after = await followTopic(plant.brokers, topic);
        return await waitFor(
          "a record",
          () => after.records.some(({ timestampMs }) => timestampMs > deletedMs),
          {
            timeoutMs: 5_000,
          },
        );
      },
      { timeoutMs: 40_000 },
    );
  }
  expect((await producer.stop()).code).toBe(0);
  expect((await processor.stop()).code).toBe(0);
});

test("what people put into sensor by hand stops nothing and is in the dead letters once per pipeline", async () => {
  await using plant = await installation();
  await using processor = plant.start(PROCESSOR, { START_FROM: "earliest" });
  await processor.ready();
  const good = (device: string, temperature: number) =>
    JSON.stringify({
      device_id: device,
      temperature,
      timestamp: new Date().toISOString(),
    } satisfies SensorReading);
  const bad: [name: string, value: Buffer | null][] = [
    ["not JSON", Buffer.from("hello")],
    ["wrong type", Buffer.from(good("m", 1).replace(/"temperature":1/, '"temperature":"hot"'))],
    ["missing field", Buffer.from(`{"device_id":"m","temperature":1}`)],
    ["NaN", Buffer.from(good("m", 1).replace(/"temperature":1/, '"temperature":NaN'))],
    ["no value", null],
    ["empty value", Buffer.alloc(0)],
    ["garbage", Buffer.alloc(1_000_000, "\u0007ÿ")],
  ];
  const kafka = new Kafka({ brokers: plant.brokers, logLevel: logLevel.NOTHING });
  const byHand = kafka.producer();
  await byHand.connect();
  for (const [name, value] of bad) {
    await byHand.send({ topic: plant.topics.sensor, messages: [{ key: "m", value, headers: { name } }] });
  }
  await byHand.send({
    topic: plant.topics.sensor,
    messages: [
      { key: "m", value: good("m", 99) },
      ...floodOf(500).map((device) => ({ key: device, value: good(device, 20) })),
    ],
  });
  await byHand.disconnect();

  await using alert = await followTopic(plant.brokers, plant.topics.alert);
  await waitFor("the alert behind the bad records", () => alert.records.length === 1);
  expect(Alert.parse(JSON.parse(alert.records[0]?.value ?? "")).celsius).toBe(99);

  await using dead = await followTopic(plant.brokers, `${plant.topics.sensor}.dlq`);
  await waitFor("all dead letters", async () => (await dead.toEnd()).length >= 2 * bad.length);
  for (const [name, value] of bad) {
    const letters = dead.records.filter((record) => record.headers.name === name);
    expect(
      letters.map((letter) => letter.value),
      name,
    ).toEqual([value?.toString() ?? null, value?.toString() ?? null]);
    expect(new Set(letters.map((letter) => JSON.stringify(letter.headers))).size, `${name}: pipelines`).toBe(
      2,
    );
  }
  expect(dead.records).toHaveLength(2 * bad.length);
  expect((await processor.stop()).code).toBe(0);
});

function floodOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `unheard-of-${index}`);
}

async function deleteTopics(brokers: string[], topics: string[]): Promise<void> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics });
  await admin.disconnect();
}

function distinct(values: readonly TimedValue[]): string[] {
  return [...new Set(values.map(({ device, timeMs, celsius }) => `${device} ${timeMs} ${celsius}`))].sort();
}

/** The readings have ended: every window runs empty by the wall clock, emits that once, and then all must be there. */
async function expectKpisOfBruteForce(sensor: TopicLog, alert: TopicLog, kpi: TopicLog): Promise<void> {
  const expected = new Map([
    ...expectedKpis(alertsOf(await alert.toEnd()), ALERT_COUNT),
    ...expectedKpis(readingsOf(await sensor.toEnd()), AVERAGE_TEMPERATURE),
  ]);
  const isComplete = async () => kpiTable(await kpi.toEnd()).size >= expected.size;
  await waitFor("every KPI", isComplete, { timeoutMs: 30_000 }).catch(() => {});
  const table = kpiTable(kpi.records);
  expect([...table.keys()].sort()).toEqual([...expected.keys()].sort());
  const wrong = [...expected].filter(([cell, value]) => !isSame(table.get(cell) ?? null, value));
  expect(wrong.map(([cell, value]) => `${cell} is ${table.get(cell)}, not ${value}`)).toEqual([]);
}

/** The topic carries 2 decimals. */
function isSame(said: number | null, computed: number | null): boolean {
  if (said === null || computed === null) return said === computed;
  return Math.abs(said - computed) <= 0.005 + 1e-9;
}
