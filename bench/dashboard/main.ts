/** `npm run bench -- dashboard`: what a viewer costs the server, and what stalled viewers cost the others. */
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { waitFor } from "@kelvin/test-kit";
import { DASHBOARD, installation } from "../../test/support/index.ts";
import { type Goal, percentile, report } from "../goals.ts";
import { sendSteadily } from "../page/devices.ts";
import { BenchClient, Tally } from "./client.ts";

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
/** Connections are opened so many at a time. */
const AT_ONCE = 50;

interface Measured {
  readonly tally: Tally;
  /** Of the server, as a share of a core. */
  readonly cpu: number;
  readonly residentMb: number;
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
const clients: BenchClient[] = [];
try {
  report(await measureAll());
} finally {
  for (const client of clients) client.close();
}

async function measureAll(): Promise<Goal[]> {
  await open(clientCount);
  const all = await measured(clients);
  const { tally } = all;
  console.log(
    `${clientCount} viewers, ${perSecond} readings/s: ${share(all.cpu)} of a core, ${all.residentMb} MB, ` +
      `${Math.round(tally.frames / all.seconds)} frames/s, ${latencies(tally)}`,
  );
  const stalled = [...(await withStalled(1)), ...(await withStalled(Math.floor(clientCount / 10)))];

  // Last, when the server's code is as warm as it was with viewers.
  for (const client of clients.splice(0)) client.close();
  await wait(1_000);
  const alone = await measured([]);
  const perFrameUs = (1e6 * (all.cpu - alone.cpu) * all.seconds) / tally.frames;
  const perClientMs = (1e3 * (all.cpu - alone.cpu)) / clientCount;
  console.log(
    `no viewer: ${share(alone.cpu)} of a core, ${alone.residentMb} MB; ` +
      `a core carries about ${Math.floor((1 - alone.cpu) / (perClientMs / 1e3))} viewers`,
  );
  return [
    { what: "server CPU per frame", value: perFrameUs, must: 90, aim: 18, unit: "us", isGate: true },
    {
      what: "server CPU per viewer (1 ms/s: 1,000 a core)",
      value: perClientMs,
      must: 1,
      aim: 0.2,
      unit: "ms/s",
    },
    {
      what: "reading to viewer, p99",
      value: percentile(tally.latenciesMs, 0.99),
      must: 250,
      aim: 150,
      unit: "ms",
    },
    { what: "readings lost", value: tally.lost, must: 0, aim: 0, unit: "", isGate: true },
    {
      what: "batches to a viewer",
      value: tally.batches / clientCount / all.seconds,
      must: 11,
      aim: 10.2,
      unit: "/s",
      isGate: true,
    },
    {
      what: "bytes of a reading on its way",
      value: tally.batchBytes / tally.readings,
      must: 60,
      aim: 20,
      unit: "B",
      isGate: perSecond >= 500,
    },
    { what: "server memory", value: all.residentMb, must: 250, aim: 130, unit: "MB" },
    ...stalled,
  ];
}

/** Some of the viewers read nothing any more: what waits for each, and how the others fare. */
async function withStalled(count: number): Promise<Goal[]> {
  const stalled = clients.splice(0, count);
  const before = stalled.map(({ received }) => received);
  for (const client of stalled) client.stall();
  const { tally, cpu, residentMb } = await measured(clients);
  console.log(
    `${count} of them stalled: ${share(cpu)} of a core, ${residentMb} MB, the others ${latencies(tally)}`,
  );
  // What comes at once after waking is what was kept for them: by the server, and on the way by the system.
  for (const client of stalled) {
    client.tally = new Tally();
    client.wake();
  }
  await wait(300);
  const kept = stalled.map(({ received }, i) => (received - (before[i] ?? 0)) / 1e6);
  for (const client of stalled) client.close();
  await open(clientCount);
  const value = percentile(tally.latenciesMs, 0.99);
  return [
    {
      what: `kept for each of ${count} stalled`,
      value: Math.max(...kept),
      must: 1,
      aim: 0.5,
      unit: "MB",
      isGate: true,
    },
    { what: `reading to viewer, p99, ${count} stalled`, value, must: 250, aim: 150, unit: "ms" },
    {
      what: `readings lost by the others, ${count} stalled`,
      value: tally.lost,
      must: 0,
      aim: 0,
      unit: "",
      isGate: true,
    },
  ];
}

async function measured(viewers: readonly BenchClient[]): Promise<Measured> {
  const tally = new Tally();
  for (const viewer of viewers) viewer.tally = tally;
  const [before, beganMs] = [await metrics(), performance.now()];
  await wait(lastsMs);
  const [after, seconds] = [await metrics(), (performance.now() - beganMs) / 1_000];
  for (const viewer of viewers) viewer.tally = new Tally();
  const cpu = (after.cpuSeconds - before.cpuSeconds) / seconds;
  return { tally, cpu, residentMb: Math.round(after.residentBytes / 1e6), seconds };
}

/** As many viewers as there should be. */
async function open(count: number): Promise<void> {
  while (clients.length < count) {
    const more = Array.from(
      { length: Math.min(AT_ONCE, count - clients.length) },
      () => new BenchClient(url, DEVICE, new Tally()),
    );
    clients.push(...more);
    await waitFor("viewers to be let in", () => more.every(({ isOpen }) => isOpen) || undefined);
  }
  await wait(2_000);
}

async function metrics(): Promise<{ cpuSeconds: number; residentBytes: number }> {
  const text = await (await fetch(new URL("/metrics", url))).text();
  const read = (name: string) => Number(new RegExp(`^${name}\\S* (\\S+)$`, "m").exec(text)?.[1]);
  return {
    cpuSeconds: read("process_cpu_seconds_total"),
    residentBytes: read("process_resident_memory_bytes"),
  };
}

function latencies({ latenciesMs }: Tally): string {
  return `p50 ${percentile(latenciesMs, 0.5)} ms, p99 ${percentile(latenciesMs, 0.99)} ms`;
}

function share(cpu: number): string {
  return `${(100 * cpu).toFixed(1)} %`;
}
