/** Every step of the tutorial, run as a reader runs it: as a process, on a Kafka, ended by Ctrl-C. */
import type { Alert, SensorReading } from "@kelvin/schema";
import {
  createTopics,
  followTopic,
  kafkaForTests,
  type RunningService,
  startService,
  uniqueName,
  waitFor,
} from "@kelvin/test-kit";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { describe, expect, test } from "vitest";
import {
  ALERT_COUNT,
  AVERAGE_TEMPERATURE,
  alertsOf,
  expectedKpis,
  kpiTable,
  readingsOf,
} from "../../test/support/index.ts";

/** Topics of the reader's running system, made for one test. */
async function classroom() {
  const kafka = await kafkaForTests();
  const prefix = uniqueName("classroom");
  const names = { sensor: `${prefix}.sensor`, alert: `${prefix}.alert`, kpi: `${prefix}.kpi` };
  const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
  const admin = client.admin();
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await Promise.all([admin.connect(), producer.connect()]);
  await createTopics(
    admin,
    Object.values(names).map((topic) => ({ topic, numPartitions: 3 })),
  );
  return {
    brokers: kafka.brokers,
    topics: names,
    /** The step as `npm run tutorial -- <step>` starts it; it reads all that is there. */
    step: (step: string, ...options: string[]): RunningService =>
      startService({
        main: "tools/tutorial.ts",
        args: [step, ...options],
        env: {
          KAFKA_BROKERS: kafka.bootstrap,
          SENSOR_TOPIC: names.sensor,
          ALERT_TOPIC: names.alert,
          KPI_TOPIC: names.kpi,
          GROUP_PREFIX: prefix,
          START_FROM: "earliest",
        },
      }),
    send: (topic: string, values: readonly (SensorReading | Alert | string)[]) =>
      producer.send({
        topic,
        messages: values.map((value) =>
          typeof value === "string"
            ? { key: "by hand", value }
            : {
                key: value.device_id,
                value: JSON.stringify(value),
                timestamp: String(Date.parse(value.timestamp)),
              },
        ),
      }),
    admin,
    async [Symbol.asyncDispose]() {
      await Promise.all([admin.disconnect(), producer.disconnect()]);
      await kafka.stop();
    },
  };
}

/** Readings of one device, a second apart, the first of them `ageMs` old. */
function readings(
  celsius: readonly number[],
  { device = "machine-01", ageMs = 30_000 } = {},
): SensorReading[] {
  const startMs = Date.now() - ageMs;
  return celsius.map((temperature, index) => ({
    timestamp: new Date(startMs + index * 1000).toISOString(),
    device_id: device,
    temperature,
  }));
}

/** What a step has printed by now, logs aside. */
const printed = (step: RunningService): unknown[] =>
  step
    .log()
    .split("\n")
    .slice(0, -1)
    .filter((line) => line.startsWith("{"))
    .map((line): unknown => JSON.parse(line));

const alarms = (step: RunningService): number =>
  step
    .log()
    .split("\n")
    .filter((line) => line.includes("🚨 Temperature too high!")).length;

async function ctrlC(step: RunningService): Promise<void> {
  expect(await step.stop("SIGINT"), step.log()).toEqual({ code: 0, signal: null });
}

describe.concurrent("the tutorial", () => {
  test("step 1 prints every reading as it is, and continues after an invalid record", async ({ expect }) => {
    await using room = await classroom();
    const given = readings([21.5, 22.25, -3]);
    await room.send(room.topics.sensor, [...given.slice(0, 2), "hello"]);
    await using step = room.step("1");
    await waitFor("what was there", () => printed(step).length === 2);
    await room.send(room.topics.sensor, given.slice(2));
    await waitFor("what came later", () => printed(step).length === 3);
    expect(printed(step)).toEqual(given);
    await ctrlC(step);
  });

  test("step 2 prints every reading in °C, °F and K", async ({ expect }) => {
    await using room = await classroom();
    const given = readings([0, 29.85, -40]);
    await room.send(room.topics.sensor, given);
    await using step = room.step("2");
    await waitFor("all of them", () => printed(step).length === 3);
    expect(printed(step)).toEqual([
      { celsius: 0, fahrenheit: 32, kelvin: 273.15, device_id: "machine-01", timestamp: given[0]?.timestamp },
      {
        celsius: 29.85,
        fahrenheit: 85.73,
        kelvin: 303,
        device_id: "machine-01",
        timestamp: given[1]?.timestamp,
      },
      {
        celsius: -40,
        fahrenheit: -40,
        kelvin: 233.15,
        device_id: "machine-01",
        timestamp: given[2]?.timestamp,
      },
    ]);
    await ctrlC(step);
  });

  test("step 3 lets only through what is above 303 K, and logs it", async ({ expect }) => {
    await using room = await classroom();
    const given = readings([22, 29.85, 29.86, 10, 72]);
    await room.send(room.topics.sensor, given);
    await using step = room.step("3");
    await waitFor("the last one", () => step.log().includes(given[4]?.timestamp ?? "?"));
    expect(printed(step)).toMatchObject([{ kelvin: 303.01 }, { kelvin: 345.15 }]);
    expect(alarms(step)).toBe(2);
    await ctrlC(step);
  });

  test("step 4 writes the alerts to a topic of its own", async ({ expect }) => {
    await using room = await classroom();
    const given = readings([22, 35, 10, 72]);
    await room.send(room.topics.sensor, given);
    await using step = room.step("4");
    await waitFor("both alerts", () => alarms(step) === 2);
    await ctrlC(step);
    await using own = await followTopic(room.brokers, `tutorial.${room.topics.alert}`);
    await own.toEnd();
    expect(own.records.map(({ key, value }) => [key, JSON.parse(value ?? "")])).toEqual([
      [
        "machine-01",
        {
          celsius: 35,
          fahrenheit: 95,
          kelvin: 308.15,
          device_id: "machine-01",
          timestamp: given[1]?.timestamp,
        },
      ],
      [
        "machine-01",
        {
          celsius: 72,
          fahrenheit: 161.6,
          kelvin: 345.15,
          device_id: "machine-01",
          timestamp: given[3]?.timestamp,
        },
      ],
    ]);
    expect(printed(step)).toEqual([]);
    await using alert = await followTopic(room.brokers, room.topics.alert);
    expect(await alert.toEnd(), "the running system's alerts").toEqual([]);
  });

  test("with --live, step 4 writes the running system's topic", async ({ expect }) => {
    await using room = await classroom();
    await room.send(room.topics.sensor, readings([35]));
    await using step = room.step("4", "--live");
    await using alert = await followTopic(room.brokers, room.topics.alert);
    await waitFor("the alert", () => alert.records.length === 1);
    await ctrlC(step);
    expect(await room.admin.listTopics()).not.toContain(`tutorial.${room.topics.alert}`);
  });

  test("step 7 counts the alerts of the last 5 s as brute force does, back to 0", async ({ expect }) => {
    await using room = await classroom();
    const given = [
      ...readings([30, 31, 32, 30, 33, 35, 36]),
      ...readings([40], { device: "machine-02", ageMs: 20_000 }),
    ].map(({ temperature, ...rest }): Alert => ({ ...rest, celsius: temperature, fahrenheit: 0, kelvin: 0 }));
    await room.send(room.topics.alert, given);
    await using step = room.step("7");
    await waitFor("its first word", () => printed(step).length > 0);
    await using kpi = await followTopic(room.brokers, `tutorial.${room.topics.kpi}`);
    await using alert = await followTopic(room.brokers, room.topics.alert);
    const expected = expectedKpis(alertsOf(await alert.toEnd()), ALERT_COUNT);
    await waitFor("all windows", async () => kpiTable(await kpi.toEnd()).size >= expected.size, {
      timeoutMs: 40_000,
    });
    expect(kpiTable(kpi.records)).toEqual(expected);
    expect([...expected.values()].filter((count) => count === 0)).toHaveLength(2);
    expect(byText(printed(step))).toEqual(byText(kpi.records.map(({ value }) => JSON.parse(value ?? ""))));
    await ctrlC(step);
  });

  test("step 8 averages the last 10 s as brute force does, then says that there is nothing", async ({
    expect,
  }) => {
    await using room = await classroom();
    await room.send(room.topics.sensor, readings([20, 21.11, 22.7, 30, 19.99, 35, 36, 7, 8, 9, 10, 11.5]));
    await using step = room.step("8");
    await waitFor("its first word", () => printed(step).length > 0);
    await using kpi = await followTopic(room.brokers, `tutorial.${room.topics.kpi}`);
    await using sensor = await followTopic(room.brokers, room.topics.sensor);
    const expected = expectedKpis(readingsOf(await sensor.toEnd()), AVERAGE_TEMPERATURE);
    await waitFor("all windows", async () => kpiTable(await kpi.toEnd()).size >= expected.size, {
      timeoutMs: 40_000,
    });
    const table = kpiTable(kpi.records);
    expect([...table.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [window, mean] of expected) {
      if (mean === null) expect(table.get(window), window).toBeNull();
      else expect(Math.abs((table.get(window) ?? Number.NaN) - mean), window).toBeLessThanOrEqual(0.00501);
    }
    expect([...expected.values()].filter((mean) => mean === null)).toHaveLength(1);
    expect(byText(printed(step))).toEqual(byText(kpi.records.map(({ value }) => JSON.parse(value ?? ""))));
    await ctrlC(step);
  });
});

test("a number that is no step is refused, with the steps there are", async () => {
  await using wrong = startService({ main: "tools/tutorial.ts", args: ["5"] });
  expect((await wrong.ended).code).toBe(2);
  expect(wrong.log()).toContain("7-alert-count.ts");
});

function byText(values: readonly unknown[]): string[] {
  return values.map((value) => JSON.stringify(value)).sort();
}
