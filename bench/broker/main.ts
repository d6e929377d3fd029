/** `npm run bench -- broker`: the embedded broker against its budgets and, on request, beside an Apache Kafka. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createTopics, uniqueName } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import * as z from "zod";
import { table } from "../../tools/people/table.ts";
import { type Goal, percentile, report, rounded } from "../goals.ts";
import { batchOf, fetchErrorAt, fetchFrame, produceErrorAt, produceFrame } from "./frames.ts";
import { javaPerf } from "./java.ts";
import { type InProcessStart, startInProcess, startProgram, startProgramFirst } from "./start.ts";
import { Wire } from "./wire.ts";

const { values: options } = parseArgs({
  options: {
    /** An Apache Kafka to be measured beside it, in turn with it. */
    kafka: { type: "string" },
    /** How often each thing is measured; the middle one counts. */
    rounds: { type: "string", default: "3" },
    /** Of the Java producer, in each round: enough that its virtual machine is warm for the most of it. */
    records: { type: "string", default: "5000000" },
    /** Folder with Apache Kafka's jars. */
    jars: { type: "string" },
    /** Only what has this in its name. */
    only: { type: "string", default: "" },
  },
});
const rounds = Math.max(Number(options.rounds) || 0, 1);
const javaRecords = Math.max(Number(options.records) || 0, 10_000);

const [KIB, MIB] = [1024, 1024 * 1024];

/** What is measured: a goal, and how to come by its value on a broker. */
interface Measure extends Omit<Goal, "value"> {
  /** What the processor time is told of: "request", "record". */
  readonly each: string;
  measure(side: Side, topic: string): Promise<Figure>;
}

interface Figure {
  readonly value: number;
  /** How many requests, records or MB that was. */
  readonly count: number;
}

/** A broker under test. */
interface Side {
  readonly name: string;
  readonly broker: string;
  /** Of the broker's process so far; null where nobody tells. */
  cpuMs(): Promise<number | null>;
}

const IN_FLIGHT = 5;

async function produceInTurn(side: Side, topic: string, batchBytes: number, requests: number) {
  await using wire = await Wire.to(side.broker);
  const frames = [produceFrame(topic, 0, batchOf(batchBytes))];
  await wire.pump(frames, produceErrorAt(topic), Math.min(requests, 200), IN_FLIGHT);
  return await secondsOf(() => wire.pump(frames, produceErrorAt(topic), requests, IN_FLIGHT));
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (performance.now() - beganMs) / 1_000;
}

const megabytesPerSecond = (batchBytes: number, totalBytes: number): Measure => {
  const count = totalBytes / batchBytes;
  return {
    what: `produce, batches of ${batchBytes / KIB} KiB`,
    ...{ must: 80, aim: 155, unit: "MB/s", isAtLeast: true, each: "MB" },
    async measure(side, topic) {
      const seconds = await produceInTurn(side, topic, batchBytes, count);
      return { value: totalBytes / 1e6 / seconds, count: totalBytes / 1e6 };
    },
  };
};

const measures: Measure[] = [
  {
    what: "produce one record, round trip p50",
    ...{ must: 0.2, aim: 0.03, unit: "ms", each: "request" },
    async measure({ broker }, topic) {
      await using wire = await Wire.to(broker);
      const frame = produceFrame(topic, 0, batchOf(100));
      await wire.roundTrips(frame, produceErrorAt(topic), 500);
      const count = 3_000;
      const samples = await wire.roundTrips(frame, produceErrorAt(topic), count);
      return { value: percentile(samples, 0.5), count };
    },
  },
  {
    what: "produce, batches of 1 KiB",
    ...{ must: 12, aim: 20, unit: "k/s", isAtLeast: true, each: "request" },
    async measure(side, topic) {
      const count = 40_000;
      return { value: count / 1e3 / (await produceInTurn(side, topic, KIB, count)), count };
    },
  },
  megabytesPerSecond(16 * KIB, 128 * MIB),
  megabytesPerSecond(128 * KIB, 256 * MIB),
  // Under max.message.bytes, which is 1 MiB and 12 bytes.
  megabytesPerSecond(1_024 * KIB, 256 * MIB),
  {
    what: "fetch, answers of 4 MiB",
    ...{ must: 300, aim: 600, unit: "MB/s", isAtLeast: true, each: "MB" },
    async measure({ broker }, topic) {
      await using wire = await Wire.to(broker);
      const [batchBytes, answers, perAnswer] = [64 * KIB, 8, 64];
      const batch = produceFrame(topic, 0, batchOf(batchBytes));
      await wire.pump([batch], produceErrorAt(topic), answers * perAnswer, IN_FLIGHT);
      const frames = Array.from({ length: answers }, (_, i) => fetchFrame(topic, 0, i * perAnswer, 4 * MIB));
      let bytes = 0;
      const seconds = await secondsOf(async () => {
        bytes = await wire.pump(frames, fetchErrorAt(topic), 200, 2);
      });
      return { value: bytes / 1e6 / seconds, count: bytes / 1e6 };
    },
  },
];

const java = await javaPerf(options.jars);
if (typeof java === "string") console.log(`skipped: the Java producer perf tool (${java})`);
else {
  measures.push({
    what: "Java producer perf tool, 100-byte records",
    ...{ must: 350, aim: 420, unit: "k/s", isAtLeast: true, each: "record" },
    measure: async ({ broker }, topic) => ({
      value: (await java.run(broker, topic, javaRecords)) / 1e3,
      count: javaRecords,
    }),
  });
}

const loadAtFirst = loadavg()[0] ?? 0;
const starts = "start".includes(options.only) ? await startGoals() : [];
const wanted = measures.filter(({ what }) => what.includes(options.only));

const Told = z.object({ broker: z.string() });
const Cpu = z.object({ cpuMs: z.number() });
const child = fork(join(import.meta.dirname, "../broker-process.ts"));
const sides: Side[] = [
  {
    name: "embedded",
    broker: Told.parse((await once(child, "message"))[0]).broker,
    async cpuMs() {
      const told = once(child, "message");
      child.send("cpu");
      return Cpu.parse((await told)[0]).cpuMs;
    },
  },
];
if (options.kafka !== undefined) {
  sides.push({ name: "Apache Kafka", broker: options.kafka, cpuMs: async () => null });
}

interface Taken {
  readonly value: number;
  readonly cpuUs: number | null;
}
const taken = new Map<string, Taken[]>();
const keyOf = (measure: Measure, side: Side) => `${measure.what} ${side.name}`;
try {
  for (let round = 1; round <= rounds; round++) {
    for (const measure of wanted) {
      for (const side of sides) {
        const key = keyOf(measure, side);
        taken.set(key, [...(taken.get(key) ?? []), await take(measure, side)]);
      }
    }
  }
} finally {
  child.disconnect();
}
report([...starts, ...wanted.map((measure) => ({ ...measure, value: middle(measure, sides[0]) }))]);
if (wanted.length > 0) console.log(`\n${table(["", ...sides.map(({ name }) => name)], wanted.map(rowOf))}`);
console.log(
  `\nThe middle of ${rounds} rounds; load ${loadAtFirst.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after.`,
);

/** One measurement, on a topic of its own. */
async function take(measure: Measure, side: Side): Promise<Taken> {
  const kafka = new Kafka({ brokers: [side.broker], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topic = uniqueName("bench");
  try {
    await createTopics(admin, [{ topic, numPartitions: 1 }]);
    const before = await side.cpuMs();
    const { value, count } = await measure.measure(side, topic);
    const after = await side.cpuMs();
    const cpuUs = before === null || after === null ? null : (1_000 * (after - before)) / count;
    return { value, cpuUs };
  } finally {
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  }
}

function middle(measure: Measure, side: Side | undefined): number {
  const values = side === undefined ? [] : (taken.get(keyOf(measure, side)) ?? []).map(({ value }) => value);
  return percentile(values, 0.5);
}

function rowOf(measure: Measure): string[] {
  const cells = sides.map((side) => {
    const value = rounded(middle(measure, side), measure.unit);
    const cpu = (taken.get(keyOf(measure, side)) ?? []).flatMap(({ cpuUs }) => cpuUs ?? []);
    return cpu.length === 0
      ? value
      : `${value}, ${rounded(percentile(cpu, 0.5), "us")} CPU a ${measure.each}`;
  });
  return [measure.what, ...cells];
}

/** Of the embedded broker alone: what Apache Kafka takes depends on its scripts. */
async function startGoals(): Promise<Goal[]> {
  const inProcess: InProcessStart[] = [];
  const program: number[] = [];
  // The first start of a checkout compiles; each later one finds that done.
  const first = await startProgramFirst();
  await startInProcess();
  await startProgram();
  for (let i = 0; i < 2 * rounds + 1; i++) {
    inProcess.push(await startInProcess());
    program.push(await startProgram());
  }
  const mid = (values: number[]) => percentile(values, 0.5);
  console.log(
    `in-process: code loaded in ${rounded(mid(inProcess.map(({ loadMs }) => loadMs)), "ms")} ` +
      `(CPU ${rounded(mid(inProcess.map(({ loadCpuMs }) => loadCpuMs)), "ms")}), then startBroker() takes ` +
      `${rounded(mid(inProcess.map(({ startMs }) => startMs)), "ms")} ` +
      `(CPU ${rounded(mid(inProcess.map(({ startCpuMs }) => startCpuMs)), "ms")}); ` +
      `the program's first start on a machine takes ${rounded(first, "ms")}`,
  );
  return [
    {
      what: "start in a process, until it listens",
      value: mid(inProcess.map(({ startMs }) => startMs)),
      ...{ must: 25, aim: 12, unit: "ms" },
    },
    {
      what: "start as a program, Node's own start included",
      value: mid(program),
      ...{ must: 200, aim: 107, unit: "ms" },
    },
  ];
}
