/** `npm run bench -- dashboard`: what a viewer costs the server, and what stalled viewers cost the others. */
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Goal, report } from "../goals.ts";
import { gatesOf, judgedInACrowd, type Measured, startFanOut } from "./fan-out.ts";

const { values: options } = parseArgs({
  options: {
    clients: { type: "string", default: "200" },
    /** How long each part is measured. */
    seconds: { type: "string", default: "8" },
    /** Readings a second, and of how many devices; all watch the first. */
    rate: { type: "string", default: "500" },
    devices: { type: "string", default: "1" },
    /** Of readings that the server finds at its start, and keeps as far as a chart goes. */
    history: { type: "string", default: "0" },
  },
});
const between = (text: string, least: number, most: number) =>
  Math.min(most, Math.max(least, Number(text) || least));
const clientCount = between(options.clients, 10, 5_000);
/** The valve takes up to 4 s to shut. */
const lastsMs = 1_000 * between(options.seconds, 6, 120);
const flow = {
  perSecond: between(options.rate, 10, 10_000),
  devices: between(options.devices, 1, 1_000),
  historyMinutes: between(options.history, 0, 60),
};
const SETTLE_MS = 2_000;

await using fanOut = await startFanOut(flow);
report(await measureAll());

async function measureAll(): Promise<Goal[]> {
  await fanOut.tell({ do: "open", count: clientCount });
  await wait(SETTLE_MS);
  const all = await fanOut.measured(lastsMs);
  console.log(
    `${clientCount} viewers, ${flow.perSecond} readings/s of ${flow.devices} devices: ${described(all)}`,
  );
  const stalled = [...(await withStalled(1)), ...(await withStalled(Math.floor(clientCount / 10)))];

  // Last, when the server's code is as warm as it was with viewers.
  await fanOut.tell({ do: "close" });
  await wait(SETTLE_MS);
  const alone = await fanOut.measured(lastsMs);
  console.log(`no viewer: ${described(alone)}`);
  return [...goalsOf(all, alone), ...stalled];
}

function goalsOf(all: Measured, alone: Measured): Goal[] {
  const perViewerMs = (1e3 * (all.cpu - alone.cpu)) / clientCount;
  const latency = { must: 250, aim: 150, unit: "ms" };
  return [
    ...gatesOf(all, alone, flow),
    {
      what: "server CPU per viewer (1 ms/s: 1,000 a core)",
      value: perViewerMs,
      must: 1,
      aim: 0.2,
      unit: "ms/s",
      ...judgedInACrowd(all),
    },
    {
      what: "viewers that a core carries",
      value: Math.floor((1 - alone.cpu) / (perViewerMs / 1e3)),
      must: 1_000,
      aim: 5_000,
      unit: "",
      isAtLeast: true,
      ...judgedInACrowd(all),
    },
    { what: "reading to viewer, p99", value: all.p99Ms, ...latency },
    {
      what: "readings taken in",
      value: alone.recordsPerSecond,
      must: 0.98 * flow.perSecond,
      aim: 0.99 * flow.perSecond,
      unit: "/s",
      isAtLeast: true,
    },
    { what: "server CPU, no viewer", value: 100 * alone.cpu, must: 100, aim: 50, unit: "% of a core" },
    { what: "server memory", value: all.residentMb, must: 250, aim: 130, unit: "MB" },
  ];
}

/** Some of the viewers read nothing any more: what waits for each, and how the others fare. */
async function withStalled(count: number): Promise<Goal[]> {
  await fanOut.tell({ do: "stall", count });
  const others = await fanOut.measured(lastsMs);
  console.log(`${count} of them stalled: ${described(others)}`);
  const { keptMb } = await fanOut.tell({ do: "wake" });
  await fanOut.tell({ do: "open", count: clientCount });
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
