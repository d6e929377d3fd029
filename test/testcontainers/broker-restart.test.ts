/** What no broker in our own process can show: Apache Kafka goes down in order, is away for seconds, and comes back. */

import { followTopic, startService, uniqueName, waitFor } from "@kelvin/test-kit";
import { expect, test } from "vitest";
import { alertsOf, readingsOf } from "../support/index.ts";
import { startKafkaContainer } from "./apache-kafka-container.ts";

test("a restart of Kafka under running services loses no reading and no alert", async () => {
  await using kafka = await startKafkaContainer();
  const prefix = uniqueName("plant");
  const topics = { sensor: `${prefix}.sensor`, alert: `${prefix}.alert`, kpi: `${prefix}.kpi` };
  const env = {
    KAFKA_BROKERS: kafka.brokers.join(","),
    SENSOR_TOPIC: topics.sensor,
    ALERT_TOPIC: topics.alert,
    KPI_TOPIC: topics.kpi,
    GROUP_PREFIX: prefix,
  };
  await using processor = startService({
    main: "services/stream-processor/src/main.ts",
    env: { ...env, START_FROM: "earliest" },
  });
  await processor.ready();
  await using producer = startService({
    main: "services/producer/src/main.ts",
    env: { ...env, DEVICES: "2", INTERVAL_MS: "100", BASE_CELSIUS: "29" },
  });
  await producer.ready();
  const alertsSoFar = async (): Promise<number> => {
    await using alerts = await followTopic(kafka.brokers, topics.alert);
    return alertsOf(await alerts.toEnd()).length;
  };
  const before = await waitFor("the first alerts", alertsSoFar);

  await kafka.restart();

  await waitFor("alerts after the restart", async () => (await alertsSoFar()) > before + 20, {
    timeoutMs: 60_000,
  });
  expect((await producer.stop()).code).toBe(0);
  await using sensor = await followTopic(kafka.brokers, topics.sensor);
  await using alert = await followTopic(kafka.brokers, topics.alert);
  const readings = readingsOf(await sensor.toEnd());

  // 100 ms apart, all the way: what was read while Kafka was away is there too.
  for (const device of ["machine-01", "machine-02"]) {
    const times = readings.filter((reading) => reading.device === device).map(({ timeMs }) => timeMs);
    const steps = [...new Set(times)]
      .sort((a, b) => a - b)
      .map((time, index, all) => time - (all[index - 1] ?? time));
    expect(Math.max(...steps), device).toBeLessThan(1_000);
  }

  const identityOf = ({ device, timeMs }: { device: string; timeMs: number }): string =>
    `${device} ${timeMs}`;
  const tooHot = new Set(readings.filter(({ celsius }) => celsius + 273.15 > 303).map(identityOf));
  const told = async () => new Set(alertsOf(await alert.toEnd()).map(identityOf));
  await waitFor("every alert", async () => (await told()).size >= tooHot.size);
  expect(await told()).toEqual(tooHot);
  expect((await processor.stop()).code).toBe(0);
});
