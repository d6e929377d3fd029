/** `npm run bench -- dashboard`: what a viewer costs the server, and what stalled viewers cost the others. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DASHBOARD, installation } from "../../test/support/index.ts";
import { type Goal, report } from "../goals.ts";
import { sendSteadily } from "../page/devices.ts";
import { Counted, type Order } from "./orders.ts";

const { values: options } = parseArgs({
  options: {
    clients: { type: "string", default: "200" },
    /** How long each part is measured. */
    seconds: { type: "string", default: "8" },
    /** Readings a second of the one device that all watch. */
    rate: { type: "string", default: "500" },
  },
});
const between = (text: string, least: number, most: number) =>
  Math.min(most, Math.max(least, Number(text) || least));
const clientCount = between(options.clients, 10, 5_000);
/** The valve takes up to 4 s to shut. */
const lastsMs = 1_000 * between(options.seconds, 6, 120);
const perSecond = between(options.rate, 10, 10_000);
const DEVICE = "machine-01";
const SETTLE_MS = 2_000;
interface Measured extends Counted {
  /** Of the server, as a share of a core. */
  readonly cpu: number;
  readonly residentMb: number;
  /** How late the server's event loop was, at most in one of a hundred turns. */
  readonly loopP99Ms: number;
  readonly seconds: number;
}

await using plant = await installation();
await using dashboard = plant.start(DASHBOARD, {
  LOG_LEVEL: "fatal",
  MAX_CLIENTS: "10000",
  MAX_CLIENTS_PER_ADDRESS: "10000",
});
const url = new URL(await dashboard.ready());
await using _devices = await sendSteadily(plant.brokers, plant.topics.sensor, { count: 1, perSecond });
const viewers = fork(new URL("viewers.ts", import.meta.url), [url.href, DEVICE]);
try {
  report(await measureAll());
} finally {
  viewers.kill();
}

async function measureAll(): Promise<Goal[]> {
  await tell({ do: "open", count: clientCount });
  await wait(SETTLE_MS);
  const all = await measured();
  console.log(`${clientCount} viewers, ${perSecond} readings/s: ${described(all)}`);
  const stalled = [...(await withStalled(1)), ...(await withStalled(Math.floor(clientCount / 10)))];

  // Last, when the server's code is as warm as it was with viewers.
  await tell({ do: "close" });
  await wait(SETTLE_MS);
  const alone = await measured();
  console.log(`no viewer: ${described(alone)}`);
  return [...goalsOf(all, alone), ...stalled];
}

function goalsOf(all: Measured, alone: Measured): Goal[] {
  const cpu = all.cpu - alone.cpu;
  const perViewerMs = (1e3 * cpu) / clientCount;
  const latency = { must: 250, aim: 150, unit: "ms" };
  return [
    {
      what: "server CPU per frame",
      value: (1e6 * cpu * all.seconds) / all.frames,
      must: 90,
      aim: 18,
      unit: "us",
      isGate: true,
    },
    {
      what: "server CPU per viewer (1 ms/s: 1,000 a core)",
      value: perViewerMs,
      must: 1,
      aim: 0.2,
      unit: "ms/s",
    },
    {
      what: "viewers that a core carries",
      value: Math.floor((1 - alone.cpu) / (perViewerMs / 1e3)),
      must: 1_000,
      aim: 5_000,
      unit: "",
      isAtLeast: true,
    },
    { what: "reading to viewer, p99", value: all.p99Ms, ...latency },
    { what: "readings lost", value: all.lost, must: 0, aim: 0, unit: "", isGate: true },
    {
      what: "batches to a viewer",
      value: all.batches / clientCount / all.seconds,
      must: 11,
      aim: 10.2,
      unit: "/s",
      isGate: true,
    },
    {
      what: "bytes of a reading on its way",
      value: all.batchBytes / all.readings,
      must: 60,
      aim: 20,
      unit: "B",
      isGate: perSecond >= 500,
    },
    { what: "server memory", value: all.residentMb, must: 250, aim: 130, unit: "MB" },
  ];
}

/** Some of the viewers read nothing any more: what waits for each, and how the others fare. */
async function withStalled(count: number): Promise<Goal[]> {
  await tell({ do: "stall", count });
  const others = await measured();
  console.log(`${count} of them stalled: ${described(others)}`);
  const { keptMb } = await tell({ do: "wake" });
  await tell({ do: "open", count: clientCount });
  await wait(SETTLE_MS);
  const lost = { value: others.lost, must: 0, aim: 0, unit: "", isGate: true };
  return [
    { what: `kept for each of ${count} stalled`, value: keptMb, must: 1, aim: 0.5, unit: "MB", isGate: true },
    {
      what: `reading to viewer, p99, ${count} stalled`,
      value: others.p99Ms,
      must: 250,
      aim: 150,
      unit: "ms",
    },
    { what: `readings lost by the others, ${count} stalled`, ...lost },
  ];
}

async function measured(): Promise<Measured> {
  await tell({ do: "count" });
  const [before, beganMs] = [await metrics(), performance.now()];
  await wait(lastsMs);
  const counted = await tell({ do: "tell" });
  const [after, seconds] = [await metrics(), (performance.now() - beganMs) / 1_000];
  return {
    ...counted,
    cpu: (after.cpuSeconds - before.cpuSeconds) / seconds,
    residentMb: Math.round(after.residentBytes / 1e6),
    loopP99Ms: 1_000 * after.loopP99Seconds,
    seconds,
  };
}

async function tell(order: Order): Promise<Counted> {
  viewers.send(order);
  const [answer] = await once(viewers, "message");
  return Counted.parse(answer);
}

async function metrics() {
  const text = await (await fetch(new URL("/metrics", url))).text();
  const read = (name: string) => Number(new RegExp(`^${name}\\S* (\\S+)$`, "m").exec(text)?.[1]);
  return {
    cpuSeconds: read("process_cpu_seconds_total"),
    residentBytes: read("process_resident_memory_bytes"),
    loopP99Seconds: read("nodejs_eventloop_lag_p99_seconds"),
  };
}

function described({
  cpu,
  residentMb,
  loopP99Ms,
  frames,
  seconds,
  p50Ms,
  p99Ms,
  cpuSeconds,
}: Measured): string {
  const share = (of: number) => `${(100 * of).toFixed(1)} %`;
  return (
    `${share(cpu)} of a core, ${residentMb} MB, event loop p99 ${loopP99Ms.toFixed(0)} ms late; ` +
    `${Math.round(frames / seconds)} frames/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms; ` +
    `the viewers themselves: ${share(cpuSeconds / seconds)} of a core`
  );
}
