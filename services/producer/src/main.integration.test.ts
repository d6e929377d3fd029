/** The producer as a process: what it says arrives in `sensor`, whole and in order. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SensorReading } from "@kelvin/schema";
import {
  brokersFromEnvironment,
  followTopic,
  type LoggedRecord,
  startService,
  uniqueName,
} from "@kelvin/test-kit";
import { expect, test } from "vitest";

const main = "services/producer/src/main.ts";
const brokers = brokersFromEnvironment() ?? [];

function producer(topic: string, env: Record<string, string> = {}) {
  return startService({ main, env: { KAFKA_BROKERS: brokers.join(","), SENSOR_TOPIC: topic, ...env } });
}

function readingsOf(records: readonly LoggedRecord[]): SensorReading[] {
  return records.map(({ value }) => SensorReading.parse(JSON.parse(value ?? "null")));
}

test("each reading is exactly the tutorial's message, keyed by its device and stamped with its time", async () => {
  const topic = uniqueName("sensor");
  await using service = producer(topic, { DEVICES: "4", INTERVAL_MS: "200" });
  await service.ready();
  await using sensor = await followTopic(brokers, topic);
  await expect.poll(() => sensor.records.length, { timeout: 20_000 }).toBeGreaterThan(40);
  expect((await service.stop()).code).toBe(0);

  const records = await sensor.toEnd();
  for (const record of records) {
    const reading = SensorReading.strict().parse(JSON.parse(record.value ?? "null"));
    expect(Object.keys(reading)).toEqual(["timestamp", "device_id", "temperature"]);
    expect(record.key).toBe(reading.device_id);
    expect(record.timestampMs).toBe(Date.parse(reading.timestamp));
    expect(reading.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  expect(new Set(records.map(({ key }) => key))).toEqual(
    new Set(["machine-01", "machine-02", "machine-03", "machine-04"]),
  );
  for (const device of new Set(records.map(({ key }) => key))) {
    const times = records.filter(({ key }) => key === device).map(({ timestampMs }) => timestampMs);
    const steps = times.slice(1).map((timeMs, index) => timeMs - (times[index] ?? 0));
    // Every reading from the first to the stop, none twice.
    expect(new Set(steps)).toEqual(new Set([200]));
  }
});

test("a replay that is not to loop sends every good row in the file's order, tells the bad one, and ends with 0", async () => {
  const topic = uniqueName("sensor");
  const file = join(await mkdtemp(join(tmpdir(), "kelvin-producer-")), "rows.csv");
  const rows = Array.from({ length: 3000 }, (_, index) => {
    const time = new Date(Date.UTC(2020, 0, 1) + index * 300_000).toISOString();
    return index === 1500 ? `${time},broken` : `${time},${index / 100}`;
  });
  await writeFile(file, `timestamp,value\n${rows.join("\n")}\n`);
  await using service = producer(topic, { REPLAY: file, REPLAY_SPEED: "300000", REPLAY_AT_END: "stop" });
  expect((await service.ended).code).toBe(0);
  expect(service.log()).toContain(`${file}:1502 is not a reading`);

  await using sensor = await followTopic(brokers, topic);
  const temperatures = readingsOf(await sensor.toEnd()).map(({ temperature }) => temperature);
  const expected = rows.map((_, index) => index / 100).filter((value) => value !== 15);
  expect(temperatures).toEqual(expected);
});
