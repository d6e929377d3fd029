/**
 * Three processors and 20 devices, late, future and broken records; processors are killed (kill -9), the broker is stopped
 * and started. At the end alerts, KPIs and dead letters are those of brute force over `sensor`, under exactly-once each
 * of them once. All that is left to chance comes from the seed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startBroker } from "@kelvin/embedded-kafka";
import { Alert, alertTopic, instantOf, kpiTopic, SensorReading, sensorTopic } from "@kelvin/schema";
import { createPublisher, ensureTopics, parseDeadLetter } from "@kelvin/streams";
import { followTopic, type LoggedRecord, type RunningService, startService, waitFor } from "@kelvin/test-kit";
import { expect } from "vitest";
import { startApacheKafka } from "../../tools/kafka/apache-kafka.ts";
import { freePorts } from "../../tools/kafka/ports.ts";
import {
  ALERT_COUNT,
  AVERAGE_TEMPERATURE,
  expectedKpis,
  kpiTable,
  PROCESSOR,
  type TimedValue,
} from "../support/index.ts";
import { type Fate, fateOf, Load, randomOf, rawSensorTopic } from "./load.ts";

const PROCESSORS = 3;
const DEVICES = 20;
const STEP_MS = 200;
/** On a machine that has other work as well. */
const READY_MS = 120_000;
const SETTLED_MS = 120_000;

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

export interface SoakOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly guarantee: "at-least-once" | "exactly-once";
  /** An Apache Kafka (Java 17) in place of the embedded broker. */
  readonly isApache?: boolean;
}

interface SoakBroker extends AsyncDisposable {
  readonly brokers: readonly string[];
  restart(): Promise<void>;
}

/** @throws where the topics are not those of brute force. */
export async function soak({ seed, seconds, guarantee, isApache = false }: SoakOptions): Promise<void> {
  await using kafka = await brokerOf(isApache);
  const { brokers } = kafka;
  await ensureTopics({ kafka: { brokers }, topics: [sensorTopic, alertTopic, kpiTopic], log });
  await using cleanUp = new AsyncDisposableStack();
  const env = {
    KAFKA_BROKERS: brokers.join(","),
    START_FROM: "earliest",
    GUARANTEE: guarantee,
    LOG_LEVEL: "fatal",
  };
  const start = (): RunningService => cleanUp.use(startService({ main: PROCESSOR, env }));
  const random = randomOf(seed);
  const processors = Array.from({ length: PROCESSORS }, start);
  await Promise.all(processors.map((processor) => processor.ready(READY_MS)));
  const publisher = await createPublisher({ kafka: { brokers }, topic: rawSensorTopic, log });
  const load = new Load(random, DEVICES);
  const sending: Promise<void>[] = load.first(Date.now()).map(publisher.send);
  const restarting: Promise<void>[] = [];
  const steps = (seconds * 1_000) / STEP_MS;
  // Once in the short run, then about every 15 s; the broker half as often.
  const kills = chosen(random, steps, 1 + seconds / 15);
  const restarts = chosen(random, steps, 1 + seconds / 30);
  let restart = Promise.resolve();
  for (let step = 0; step < steps; step++) {
    sending.push(...load.next(Date.now()).map(publisher.send));
    if (kills.has(step)) {
      const victim = Math.floor(random() * PROCESSORS);
      restarting.push(processors[victim]?.kill().then(() => undefined) ?? Promise.resolve());
      processors[victim] = start();
    }
    if (restarts.has(step)) restart = restart.then(() => kafka.restart());
    await sleep(STEP_MS);
  }
  await Promise.all([...restarting, restart]);
  await Promise.all(sending);
  await judge(brokers, seed, guarantee);
  await publisher.close();
  for (const end of await Promise.all(processors.map((processor) => processor.stop())))
    expect(end.code).toBe(0);
}

/** So many of the steps, not the first ones. */
function chosen(random: () => number, steps: number, count: number): Set<number> {
  return new Set(Array.from({ length: Math.floor(count) }, () => Math.floor(steps * (0.2 + 0.8 * random()))));
}

async function judge(
  brokers: readonly string[],
  seed: number,
  guarantee: SoakOptions["guarantee"],
): Promise<void> {
  await using logs = new AsyncDisposableStack();
  const follow = async (topic: string) => logs.use({ ...(await followTopic(brokers, topic)) });
  const [sensor, alert, kpi, sensorLetters, alertLetters] = await Promise.all(
    ["sensor", "alert", "kpi", "sensor.dlq", "alert.dlq"].map(follow),
  );
  if (!sensor || !alert || !kpi || !sensorLetters || !alertLetters)
    throw new RangeError("a topic is missing");
  const readings = readingsIn(await sensor.toEnd());
  const hot = readings.filter(({ fate, celsius }) => fate !== "undecodable" && celsius + 273.15 > 303);
  const counting = (values: readonly Fated[]) => values.filter(({ fate }) => fate === "counts");
  const averages = expectedKpis(counting(readings), AVERAGE_TEMPERATURE);
  const counts = expectedKpis(counting(hot), ALERT_COUNT);
  const hotNames = new Set(counting(hot).map(nameOf));
  /** An alert that is there twice, as it may be under at-least-once, counts twice. */
  const expected = (alerts: readonly TimedValue[]) =>
    guarantee === "exactly-once"
      ? new Map([...counts, ...averages])
      : new Map([
          ...expectedKpis(
            alerts.filter((each) => hotNames.has(nameOf(each))),
            ALERT_COUNT,
          ),
          ...averages,
        ]);

  const wantedAlerts = hot.map(nameOf).sort();
  const wantedLetters = [
    // The alert pipeline looks at no time; what it makes of a late reading is a late alert.
    ...readings.flatMap(({ fate, at }) => {
      if (fate === "undecodable")
        return [`kelvin-alert ${fate} ${at}`, `kelvin-average-temperature ${fate} ${at}`];
      return fate === "counts" ? [] : [`kelvin-average-temperature ${fate} ${at}`];
    }),
  ].sort();
  const wantedAlertLetters = hot
    .filter(({ fate }) => fate !== "counts")
    .map((each) => `${each.fate} ${nameOf(each)}`)
    .sort();

  /** Sorted; at least once, doubles are no fault. */
  const told = (names: string[]) => (guarantee === "exactly-once" ? names : [...new Set(names)]).sort();
  const found = async () => {
    const alerts = (await alert.toEnd()).map(alertOf);
    return {
      alerts: told(alerts.map(nameOf)),
      letters: told((await sensorLetters.toEnd()).map(letterOf)),
      alertLetters: told(
        (await alertLetters.toEnd()).map((record) => `${codeOf(record)} ${nameOf(alertOf(record))}`),
      ),
      wrong: wrongIn(kpiTable(await kpi.toEnd()), expected(alerts)),
    };
  };
  const wanted = {
    alerts: wantedAlerts,
    letters: wantedLetters,
    alertLetters: wantedAlertLetters,
    wrong: [],
  };
  const isAsWanted = async () => JSON.stringify(await found()) === JSON.stringify(wanted);
  await waitFor("all of it", isAsWanted, { timeoutMs: SETTLED_MS, everyMs: 500 }).catch(() => undefined);
  expect(await found(), `seed ${seed}`).toEqual(wanted);
  if (guarantee === "exactly-once") {
    const tellings = kpi.records.map(
      ({ headers }) => `${headers["kelvin-result-id"]} ${headers["kelvin-revision"]}`,
    );
    expect(tellings.filter((telling, i) => tellings.indexOf(telling) !== i)).toEqual([]);
  }
  console.log(
    `seed ${seed}, ${guarantee}: ${readings.length} records, ${wantedAlerts.length} alerts, ${counts.size + averages.size} KPIs, ` +
      `${wantedLetters.length + wantedAlertLetters.length} dead letters, all as by brute force`,
  );
}

interface Fated extends TimedValue {
  readonly fate: Fate;
  /** Its place in `sensor`. */
  readonly at: string;
}

function readingsIn(records: readonly LoggedRecord[]): Fated[] {
  return records.map(({ value, partition, offset, timestampMs }) => {
    const at = `${partition}/${offset}`;
    const parsed = SensorReading.safeParse(parsedOf(value));
    if (!parsed.success) return { device: "", celsius: 0, timeMs: 0, fate: "undecodable", at };
    const { device_id: device, temperature: celsius, timestamp } = parsed.data;
    const timeMs = instantOf(timestamp) ?? 0;
    return { device, celsius, timeMs, fate: fateOf(timeMs, timestampMs), at };
  });
}

function alertOf({ value }: LoggedRecord): TimedValue {
  const { device_id: device, celsius, timestamp } = Alert.parse(parsedOf(value));
  return { device, celsius, timeMs: instantOf(timestamp) ?? 0 };
}

function letterOf({ headers }: LoggedRecord): string {
  const letter = parseDeadLetter(headers);
  return `${letter?.pipeline} ${letter?.code} ${letter?.source.partition}/${letter?.source.offset}`;
}

function codeOf({ headers }: LoggedRecord): string | undefined {
  return parseDeadLetter(headers)?.code;
}

function nameOf({ device, timeMs, celsius }: TimedValue): string {
  return `${device} ${timeMs} ${celsius}`;
}

/** Cells that differ, those of the table that nobody asked for included. */
function wrongIn(
  table: ReadonlyMap<string, number | null>,
  expected: ReadonlyMap<string, number | null>,
): string[] {
  const differs = (told: number | null | undefined, computed: number | null) =>
    typeof told === "number" && computed !== null
      ? Math.abs(told - computed) > 0.005 + 1e-9
      : told !== computed;
  const wrong = [...expected].filter(([cell, value]) => differs(table.get(cell), value));
  const unasked = [...table].filter(([cell]) => !expected.has(cell));
  return [
    ...wrong.map(([cell, value]) => `${cell} is ${table.get(cell)}, not ${value}`),
    ...unasked.map(([cell, value]) => `${cell} is ${value}, and nobody asked`),
  ].slice(0, 20);
}

function parsedOf(value: string | null): unknown {
  try {
    return JSON.parse(value ?? "");
  } catch {
    return undefined;
  }
}

/** A broker of its own that keeps what it has in a folder. */
async function brokerOf(isApache: boolean): Promise<SoakBroker> {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-soak-"));
  const [port = 0] = await freePorts(1);
  const startAgain = (isFirst: boolean) =>
    isApache ? startApacheKafka({ port, folder, keepData: !isFirst }) : startBroker({ port, folder });
  let running = await startAgain(true);
  return {
    brokers: running.brokers,
    async restart() {
      await running.stop();
      running = await startAgain(false);
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
