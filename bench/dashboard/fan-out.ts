/** A server and its viewers, each in a process of its own, and what it costs the server to tell them. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { DASHBOARD, installation } from "../../test/support/index.ts";
import type { Goal } from "../goals.ts";
import { sendSteadily } from "../page/devices.ts";
import { sendHistory } from "./history.ts";
import { Counted, type Order } from "./orders.ts";

const DEVICE = "machine-01";
/** From so many readings a second on a batch has enough of them to carry its own head. */
const MANY = 500;
/** With fewer viewers what a batch costs once for all of them is most of what a frame costs. */
const CROWD = 100;
/** Of a time step and a temperature with two decimals in a column. */
const READING_BYTES = 10;

export interface Measured extends Counted {
  /** Of the server, as a share of a core. */
  readonly cpu: number;
  readonly residentMb: number;
  /** Records that the server took in of all topics. */
  readonly recordsPerSecond: number;
  /** How late the server's event loop was, at most in one of a hundred turns. */
  readonly loopP99Ms: number;
  readonly seconds: number;
}

export interface FanOut extends AsyncDisposable {
  tell(order: Order): Promise<Counted>;
  /** What went on during so many milliseconds from now on. */
  measured(lastsMs: number): Promise<Measured>;
}

export interface Flow {
  /** Readings a second of all devices together. */
  readonly perSecond: number;
  /** All viewers watch the first of them. */
  readonly devices: number;
  /** Of readings that are there before the server starts, one a second of each device. */
  readonly historyMinutes?: number;
}

export async function startFanOut({ perSecond, devices, historyMinutes = 0 }: Flow): Promise<FanOut> {
  await using started = new AsyncDisposableStack();
  const plant = started.use(await installation());
  if (historyMinutes > 0)
    await sendHistory(plant.brokers, plant.topics.sensor, { devices, minutes: historyMinutes });
  const beganMs = performance.now();
  const dashboard = started.use(
    plant.start(DASHBOARD, {
      LOG_LEVEL: "fatal",
      MAX_CLIENTS: "10000",
      MAX_CLIENTS_PER_ADDRESS: "10000",
    }),
  );
  const url = new URL(await dashboard.ready());
  if (historyMinutes > 0) console.log(`ready after ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`);
  started.use(await sendSteadily(plant.brokers, plant.topics.sensor, { count: devices, perSecond }));
  const viewers = fork(new URL("viewers.ts", import.meta.url), [url.href, DEVICE]);
  started.defer(() => void viewers.kill());
  const gone = new AbortController();
  viewers.once("exit", () => gone.abort(new ViewersGoneError()));

  async function tell(order: Order): Promise<Counted> {
    viewers.send(order);
    const [answer] = await once(viewers, "message", { signal: gone.signal });
    return Counted.parse(answer);
  }

  async function measured(lastsMs: number): Promise<Measured> {
    await tell({ do: "count" });
    const [before, beganMs] = [await metricsOf(url), performance.now()];
    await wait(lastsMs);
    const counted = await tell({ do: "tell" });
    const [after, seconds] = [await metricsOf(url), (performance.now() - beganMs) / 1_000];
    return {
      ...counted,
      cpu: (after.cpuSeconds - before.cpuSeconds) / seconds,
      recordsPerSecond: (after.records - before.records) / seconds,
      residentMb: Math.round(after.residentBytes / 1e6),
      loopP99Ms: 1_000 * after.loopP99Seconds,
      seconds,
    };
  }

  const all = started.move();
  return { tell, measured, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

class ViewersGoneError extends Error {
  override readonly name = "ViewersGoneError";

  constructor() {
    super("The viewers' process exited early: see its last output above.");
  }
}

/** Of a server, by what it tells Prometheus of itself. */
export async function metricsOf(url: URL) {
  const text = await (await fetch(new URL("/metrics", url))).text();
  const read = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}\\S* (\\S+)$`, "gm"))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  return {
    cpuSeconds: read("process_cpu_seconds_total"),
    residentBytes: read("process_resident_memory_bytes"),
    records: read("kelvin_dashboard_records_total"),
    loopP99Seconds: read("nodejs_eventloop_lag_p99_seconds"),
  };
}

/** For what a viewer costs: to be spread into a goal. */
export function judgedInACrowd({ viewers }: Counted): Pick<Goal, "notJudged"> {
  return viewers >= CROWD ? {} : { notJudged: `fewer than ${CROWD} viewers` };
}

/**
 * What is asked of any machine, quiet or not. 90 us are a core for 1,000 viewers; a quiet machine takes 25.
 *
 * @param alone the same server with no viewer
 */
export function gatesOf(all: Measured, alone: Measured, { perSecond, devices }: Flow): Goal[] {
  const cpuUs = (1e6 * (all.cpu - alone.cpu) * all.seconds) / all.frames;
  const batches = Math.max(1, all.batches);
  const gate = { unit: "", isGate: true };
  // Else a frame is the summary of many devices, or one of few.
  const isLean = perSecond / devices >= MANY;
  return [
    {
      what: "server CPU per frame",
      value: cpuUs,
      must: 90,
      aim: 18,
      unit: "us",
      isGate: isLean,
      ...judgedInACrowd(all),
    },
    { ...gate, what: "readings lost", value: all.lost, must: 0, aim: 0 },
    { ...gate, what: "batches to a viewer", value: all.batchesPerSecond, must: 11, aim: 10.2, unit: "/s" },
    {
      what: "bytes of a reading on its way",
      value: all.batchBytes / all.readings,
      must: 60,
      aim: 20,
      unit: "B",
      isGate: isLean,
    },
    {
      ...gate,
      what: "bytes of a batch besides its readings",
      value: (all.batchBytes - READING_BYTES * all.readings) / batches,
      must: 500,
      aim: 300,
      unit: "B",
    },
  ];
}
