/** All viewers of the bench, in a process of their own: what they cost is not counted as the server's, nor shared with it. */
import { setTimeout as wait } from "node:timers/promises";
import { waitFor } from "@kelvin/test-kit";
import { percentile } from "../goals.ts";
import { BenchClient, Tally } from "./client.ts";
import { type Counted, Order } from "./orders.ts";

/** Connections are opened so many at a time. */
const AT_ONCE = 50;
/** On a crowded machine a server takes its time. */
const LET_IN_MS = 90_000;
/** So long those that were woken read what had been kept for them. */
const WOKEN_MS = 300;

const [address = "", device = ""] = process.argv.slice(2);
const url = new URL(address);
const clients: BenchClient[] = [];
let stalled: { readonly client: BenchClient; readonly before: number }[] = [];
let tally = new Tally();
let keptMb = 0;
let cpuBefore = process.cpuUsage();

process.once("disconnect", () => process.exit());
process.on("message", (message) => void obey(Order.parse(message)).then(() => process.send?.(counted())));

async function obey(order: Order): Promise<void> {
  if (order.do === "open") await open(order.count);
  if (order.do === "count") count();
  if (order.do === "close") for (const client of clients.splice(0)) client.close();
  if (order.do === "wake") await wake();
  if (order.do === "stall") {
    stalled = clients.splice(0, order.count).map((client) => ({ client, before: client.received }));
    for (const { client } of stalled) {
      client.tally = new Tally();
      client.stall();
    }
  }
}

async function open(wanted: number): Promise<void> {
  while (clients.length < wanted) {
    const more = Array.from(
      { length: Math.min(AT_ONCE, wanted - clients.length) },
      () => new BenchClient(url, device, tally),
    );
    clients.push(...more);
    await waitFor("viewers to be let in", () => more.every(({ isOpen }) => isOpen) || undefined, {
      timeoutMs: LET_IN_MS,
    });
  }
}

function count(): void {
  tally = new Tally();
  for (const client of clients) client.tally = tally;
  cpuBefore = process.cpuUsage();
}

/** What comes at once after waking is what was kept for them: by the server, and on the way by the system. */
async function wake(): Promise<void> {
  for (const { client } of stalled) client.wake();
  await wait(WOKEN_MS);
  keptMb = Math.max(...stalled.map(({ client, before }) => (client.received - before) / 1e6));
  for (const { client } of stalled) client.close();
}

function counted(): Counted {
  const { user, system } = process.cpuUsage(cpuBefore);
  const { frames, batches, batchBytes, readings, lost, latenciesMs, fromMs, untilMs } = tally;
  const of = (share: number) => (latenciesMs.length === 0 ? 0 : percentile(latenciesMs, share));
  return {
    viewers: clients.length,
    frames,
    batches,
    batchBytes,
    batchesPerSecond: steadyRate(batches / Math.max(1, clients.length), untilMs - fromMs),
    readings,
    lost,
    p50Ms: of(0.5),
    p99Ms: of(0.99),
    cpuSeconds: (user + system) / 1e6,
    keptMb,
  };
}

/** So many events, of which the first and the last are that far apart, are this many a second. */
function steadyRate(events: number, spanMs: number): number {
  return spanMs > 0 ? (1_000 * (events - 1)) / spanMs : 0;
}
