/** `npm run bench -- streams`: the library beside a bare kafkajs loop, in turn, on the same broker. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createTopics, uniqueName } from "@kelvin/test-kit";
import type { Admin } from "kafkajs";
import * as z from "zod";
import { table } from "../../tools/people/table.ts";
import { type Goal, percentile, report } from "../goals.ts";
import { type Latency, latencyOf } from "./latency.ts";
import { BARE, type Contestant, committing, kafkaOf, LIBRARY } from "./programs.ts";
import { fill, inputOf } from "./readings.ts";
import { type Resumption, resumptionsOf } from "./resumption.ts";
import { type Throughput, throughputOf } from "./throughput.ts";
import { PARTITIONS } from "./topics.ts";

const { values: options } = parseArgs({
  options: {
    readings: { type: "string", default: "500000" },
    devices: { type: "string", default: "1000" },
    rounds: { type: "string", default: "3" },
    /** Of each program, in one group, while the rate is measured. */
    processes: { type: "string", default: "1" },
    /** An Apache Kafka to measure on; without it an embedded broker in a process of its own. */
    kafka: { type: "string" },
    /** Of the measurement of latency, for each program; 0 leaves it out. */
    seconds: { type: "string", default: "10" },
    /** Readings a second meanwhile. */
    rate: { type: "string", default: "1000" },
    /** How often each guarantee is killed, and stopped in order, while readings come; 0 leaves it out. */
    restarts: { type: "string", default: "3" },
    /** In place of the library's programs: W1 with these commit intervals in milliseconds, under each guarantee. */
    commits: { type: "string", default: "" },
    /** Only programs that have this in their names, and the bare loop. */
    only: { type: "string", default: "" },
  },
});
const atLeast = (text: string, least: number) => Math.max(Number(text) || 0, least);
const rounds = atLeast(options.rounds, 1);
const processes = atLeast(options.processes, 1);
const seconds = atLeast(options.seconds, 0);
const devices = atLeast(options.devices, 1);
const input = inputOf(atLeast(options.readings, devices), devices);
const intervals = options.commits === "" ? [] : options.commits.split(",").map(Number);
const ours = intervals.length > 0 ? committing(intervals) : LIBRARY;
const contestants = [BARE, ...ours.filter(({ name }) => name.includes(options.only))];

const Told = z.object({ broker: z.string() });
const loadAtFirst = loadavg()[0] ?? 0;
const child = options.kafka === undefined ? fork(join(import.meta.dirname, "../broker-process.ts")) : null;
const broker = options.kafka ?? Told.parse((await once(child ?? process, "message"))[0]).broker;
const admin = kafkaOf(broker).admin();
await admin.connect();
try {
  const throughputs = await inTurn(admin);
  const latencies = await inTurnLatencies(admin);
  console.log(
    `\n${table(["", "/s", "/s warm", "us CPU", "MiB", "p50", "p99 ms"], rowsOf(throughputs, latencies))}`,
  );
  const resumptions = await inTurnResumptions(admin);
  report([...goalsOf(throughputs, latencies), ...resumptionGoals(resumptions)]);
  console.log(
    `\n${input.readings.length} readings, ${devices} devices, ${PARTITIONS} partitions, ${options.kafka ?? "embedded broker"}; ` +
      `the middle of ${rounds} rounds; load ${loadAtFirst.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after.`,
  );
} finally {
  await admin.disconnect();
  child?.disconnect();
}

async function inTurn(on: Admin): Promise<Map<Contestant, Throughput[]>> {
  const topic = uniqueName("bench-input");
  await createTopics(on, [{ topic, numPartitions: PARTITIONS }]);
  await fill(kafkaOf(broker), topic, input, devices);
  const taken = new Map<Contestant, Throughput[]>(contestants.map((each) => [each, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [contestant, values] of taken) {
      values.push(await throughputOf(contestant, on, broker, topic, input, processes));
    }
  }
  await on.deleteTopics({ topics: [topic] });
  return taken;
}

async function inTurnLatencies(on: Admin): Promise<Map<Contestant, Latency[]>> {
  const taken = new Map<Contestant, Latency[]>(contestants.map((each) => [each, []]));
  if (seconds === 0) return taken;
  for (let round = 1; round <= rounds; round++) {
    for (const [contestant, values] of taken) {
      if (contestant.workload !== "W1") continue;
      values.push(
        await latencyOf(contestant, on, broker, { perSecond: Number(options.rate), seconds, devices }),
      );
    }
  }
  return taken;
}

async function inTurnResumptions(on: Admin): Promise<Map<Contestant, Resumption[]>> {
  const restarts = atLeast(options.restarts, 0);
  const taken = new Map<Contestant, Resumption[]>();
  for (const each of contestants) {
    if (restarts === 0 || each === BARE || each.workload !== "W1" || intervals.length > 0) continue;
    taken.set(
      each,
      await resumptionsOf(each, on, broker, { perSecond: Number(options.rate), devices, restarts }),
    );
  }
  return taken;
}

/** The longest of them: a promise to whoever waits. */
function resumptionGoals(resumptions: ReadonlyMap<Contestant, Resumption[]>): Goal[] {
  return [...resumptions].flatMap(([{ name, guarantee }, all]): Goal[] => {
    const worst = (how: Resumption["how"], of: (each: Resumption) => number) =>
      Math.max(...all.filter((each) => each.how === how).map(of));
    const seconds = { unit: "s", isAtLeast: false };
    const killed = worst("kill", ({ silentMs }) => silentMs) / 1_000;
    const stopped = worst("stop", ({ silentMs }) => silentMs) / 1_000;
    const doubled = worst("kill", (each) => each.doubled);
    const lost = Math.max(...all.map((each) => each.lost));
    return [
      { what: `${name}, silence after kill -9`, must: 6.5, aim: 6, value: killed, ...seconds },
      { what: `${name}, silence after a restart`, must: 2, aim: 1, value: stopped, ...seconds },
      { what: `${name}, lost`, must: 0, aim: 0, value: lost, unit: "", isGate: true },
      ...(guarantee === "exactly-once"
        ? [{ what: `${name}, doubled by kill -9`, must: 0, aim: 0, value: doubled, unit: "", isGate: true }]
        : [{ what: `${name}, doubled by kill -9`, must: 10_000, aim: 0, value: doubled, unit: "" }]),
    ];
  });
}

function middle<T>(values: readonly T[] | undefined, of: (value: T) => number): number {
  return percentile((values ?? []).map(of), 0.5);
}

function rowsOf(
  throughputs: ReadonlyMap<Contestant, Throughput[]>,
  latencies: ReadonlyMap<Contestant, Latency[]>,
): (string | number)[][] {
  return contestants.map((each) => {
    const taken = throughputs.get(each);
    const late = latencies.get(each) ?? [];
    return [
      each.name,
      Math.round(middle(taken, ({ perSecond }) => perSecond)),
      Math.round(middle(taken, ({ perSecondWarm }) => perSecondWarm)),
      Number(middle(taken, ({ cpuUs }) => cpuUs).toFixed(1)),
      Math.round(middle(taken, ({ residentMib }) => residentMib)),
      late.length === 0 ? "" : middle(late, ({ p50 }) => p50),
      late.length === 0 ? "" : middle(late, ({ p99 }) => p99),
    ];
  });
}

/** Ratios of the same round: what else the machine does, it does to both. */
function goalsOf(
  throughputs: ReadonlyMap<Contestant, Throughput[]>,
  latencies: ReadonlyMap<Contestant, Latency[]>,
): Goal[] {
  const bare = throughputs.get(BARE) ?? [];
  const ratio = (contestant: Contestant, of: (value: Throughput) => number) =>
    percentile(
      (throughputs.get(contestant) ?? []).map((value, round) => of(value) / of(bare[round] ?? value)),
      0.5,
    );
  return contestants
    .filter((each) => each !== BARE)
    .flatMap((each): Goal[] => {
      const [must, aim] = each.workload === "W1" ? [0.85, 1] : [0.75, 0.85];
      const goal = { must, aim, unit: "", isAtLeast: true };
      const late = latencies.get(each) ?? [];
      const residentMib = middle(throughputs.get(each), (value) => value.residentMib);
      return [
        {
          ...goal,
          what: `${each.name}, of the bare loop's rate`,
          value: ratio(each, (value) => value.perSecond),
        },
        { ...goal, what: `${each.name}, the same warm`, value: ratio(each, (value) => value.perSecondWarm) },
        {
          ...goal,
          what: `${each.name}, the same by processor time`,
          value: 1 / ratio(each, (value) => value.cpuUs),
        },
        { what: `${each.name}, memory`, must: 200, aim: 150, unit: "MiB", value: residentMib },
        ...(late.length === 0 ? [] : latencyGoals(each, late)),
      ];
    });
}

function latencyGoals({ name, guarantee }: Contestant, late: readonly Latency[]): Goal[] {
  const what = `${name}, latency at ${options.rate}/s`;
  const [p50Must, p99Must] = guarantee === "at-least-once" ? [2, 7.5] : [60, 115];
  return [
    {
      what: `${what}, p50`,
      must: p50Must,
      aim: p50Must / 2,
      unit: "ms",
      value: middle(late, ({ p50 }) => p50),
    },
    {
      what: `${what}, p99`,
      must: p99Must,
      aim: p99Must / 2,
      unit: "ms",
      value: middle(late, ({ p99 }) => p99),
    },
  ];
}
