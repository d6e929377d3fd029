/**
 * A dashboard server under a test's hand: the real web part (files, CSP) and a real socket.io, but what it says is
 * what the test tells it to say. It differs from the real server in what it lacks: Kafka, rooms, pacing, resync.
 */
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type {
  Alerts,
  Batch,
  Episode,
  Fleet,
  Goodbye,
  Handshake,
  Health,
  KpiTile,
  LastReading,
  Opening,
  PageToServer,
  Readings,
  ServerToPage,
  Snapshot,
  Trends,
  Watch,
  Welcome,
} from "@kelvin/schema/live";
import { FLAG, isHandshake, LIVE_VERSION } from "@kelvin/schema/live";
import { Server } from "socket.io";
import { createWeb } from "../../server/web.ts";

export const WINDOW_MS = 100_000;
export const LIMIT_KELVIN = 303;

/** What a test wants to be true; the rest is a calm, healthy system with one device. */
export interface World {
  readings: { timeMs: number; celsius: number }[];
  device: string;
  fleet: Partial<Fleet> | undefined;
  episodes: Episode[];
  health: Partial<Health>;
  kpis: KpiTile[];
  welcome: Partial<Welcome>;
  /** True: the server knows no device at all. */
  silent: boolean;
  /** True: the oldest readings of the window had to make way. */
  truncated: boolean;
  intervalMs: number | null;
}

class RefusedError extends Error {
  override readonly name = "RefusedError";
}

export class LiveServer {
  readonly watches: Watch[] = [];
  /** When each came that was not a handshake's. */
  readonly watchesMs: number[] = [];
  /** The `fleetMs` of each `ack`. */
  readonly acks: number[] = [];
  boot = "boot-1";
  /** Why pages are turned away; undefined: they are not. */
  refusal: string | undefined;
  /** True: sockets are neither let in nor turned away, as where something on the way hangs. */
  hangs = false;
  /** Lets those in that hang. */
  readonly hanging: (() => void)[] = [];
  /** False: what pages ask for is not answered, as where the answer is still on its way. */
  answers = true;
  /** How often a page asked for what it is told first. */
  openings = 0;
  world: World;
  /** Position after the last reading told. */
  next: number;
  readonly #http: HttpServer;
  readonly #io: Server<PageToServer, ServerToPage>;

  private constructor(http: HttpServer, world: World) {
    this.world = world;
    this.next = world.readings.length;
    this.#http = http;
    this.#io = new Server(http);
    this.#io.use((_socket, next) => {
      const answer = () => next(this.refusal === undefined ? undefined : new RefusedError(this.refusal));
      if (this.hangs) this.hanging.push(answer);
      else answer();
    });
    this.#io.on("connection", (socket) => {
      const handshake: unknown = socket.handshake.auth;
      if (isHandshake(handshake)) this.watches.push(handshakeWatch(handshake));
      socket.emit("welcome", this.welcome());
      socket.emit("health", this.health());
      socket.emit("fleet", this.fleet());
      socket.emit("trends", this.trends());
      socket.emit("alerts", this.alerts());
      const { spanMs } = this.watches.at(-1) ?? { spanMs: null };
      if (!this.world.silent) socket.emit("snapshot", this.snapshot(spanMs));
      socket.on("ack", ({ fleetMs }) => this.acks.push(fleetMs));
      socket.on("watch", (watch) => {
        this.watches.push(watch);
        this.watchesMs.push(performance.now());
        if (!this.answers) return;
        if (watch.device !== null) this.world.device = watch.device;
        socket.emit("snapshot", this.snapshot(watch.spanMs));
      });
    });
  }

  /** Serves the page built in `pageFolder`, on `port` (any free one by default). */
  static async start(pageFolder: string, world: Partial<World> = {}, port = 0): Promise<LiveServer> {
    const http = createServer(
      createWeb({
        pageFolder,
        opening: { judge: () => ({ ok: true }), of: (what) => server.opening(what.spanMs) },
      }),
    );
    const server: LiveServer = new LiveServer(http, { ...calmWorld(), ...world });
    await new Promise<void>((resolve) => {
      http.listen(port, "127.0.0.1", resolve);
    });
    return server;
  }

  get port(): number {
    const address = this.#http.address();
    return isTcp(address) ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Cuts all connections and frees the port. */
  async stop(): Promise<void> {
    const closed = this.#io.close();
    // A browser keeps connections in reserve that have asked for nothing yet: those count as busy for a minute.
    this.#http.closeAllConnections();
    await closed;
  }

  /** Ends the connections, with a word why; the pages may come again. */
  disconnect(why?: Goodbye["why"]): void {
    if (why !== undefined) this.#io.emit("goodbye", { nowMs: Date.now(), why });
    this.#io.disconnectSockets(true);
  }

  /** A new reading of the shown device, as a batch of its own. */
  say(celsius: number, timeMs = Date.now()): void {
    const before = this.world.readings.at(-1)?.celsius;
    this.world.readings.push({ timeMs, celsius });
    const first = this.next++;
    this.#io.emit("batch", {
      ...this.emptyBatch(),
      first,
      readings: { t0: timeMs, dt: [0], celsius: [celsius] },
      last: lastOf(celsius, before, timeMs),
    });
  }

  batch(batch: Batch): void {
    this.#io.emit("batch", batch);
  }

  emptyBatch(): Batch {
    return {
      boot: this.boot,
      nowMs: Date.now(),
      device: this.world.device,
      first: this.next,
      readings: { t0: 0, dt: [], celsius: [] },
      last: null,
      intervalMs: this.world.intervalMs,
      kpis: null,
    };
  }

  tell(change: Partial<World>): void {
    this.world = { ...this.world, ...change };
    if (change.health) this.#io.emit("health", this.health());
    if (change.fleet) this.#io.emit("fleet", this.fleet());
    if (change.episodes) this.#io.emit("alerts", this.alerts());
    if (change.kpis) this.#io.emit("batch", { ...this.emptyBatch(), kpis: change.kpis });
  }

  /** Something that is not in the contract. */
  babble(): void {
    for (const name of ["welcome", "snapshot", "batch", "fleet", "alerts", "health"] as const) {
      const wrong: unknown = { nowMs: "soon", readings: 7 };
      // @ts-expect-error: a server that has gone mad is not typed.
      this.#io.emit(name, wrong);
    }
  }

  welcome(): Welcome {
    return {
      version: LIVE_VERSION,
      boot: this.boot,
      nowMs: Date.now(),
      windowMs: WINDOW_MS,
      spansMs: [WINDOW_MS, 300_000, 900_000],
      limitKelvin: LIMIT_KELVIN,
      topics: { sensor: "sensor", alert: "alert", kpi: "kpi" },
      kpis: [
        { name: "alert_count", unit: "alerts", windowSeconds: 5 },
        { name: "average_temperature", unit: "celsius", windowSeconds: 10 },
      ],
      stale: { intervals: 3, atLeastMs: 3_000 },
      commands: {
        producer: "npm run producer -- PORT=0",
        processor: "npm run stream-processor -- PORT=0",
        areWhole: true,
      },
      ...this.world.welcome,
    };
  }

  /** All readings there are, said to go as far back as asked for. */
  snapshot(spanMs: number | null = null): Snapshot {
    const { readings, device } = this.world;
    const last = readings.at(-1);
    return {
      boot: this.boot,
      nowMs: Date.now(),
      device,
      known: last !== undefined,
      next: this.next,
      spanMs: spanMs ?? WINDOW_MS,
      truncated: this.world.truncated,
      readings: columnsOf(readings),
      last: last === undefined ? null : lastOf(last.celsius, readings.at(-2)?.celsius, last.timeMs),
      intervalMs: this.world.intervalMs,
      kpis: this.world.kpis,
    };
  }

  opening(spanMs: number | null = null): Opening {
    this.openings++;
    return {
      welcome: this.welcome(),
      health: this.health(),
      alerts: this.alerts(),
      fleet: this.fleet(),
      trends: this.trends(),
      snapshot: this.world.silent ? null : this.snapshot(spanMs),
    };
  }

  fleet(): Fleet {
    const { readings, device, silent } = this.world;
    const last = readings.at(-1);
    const nowMs = Date.now();
    const known = !silent && last !== undefined;
    const ageMs = last === undefined ? 0 : nowMs - last.timeMs;
    return {
      nowMs,
      total: known ? 1 : 0,
      inAlarm: 0,
      stale: 0,
      ids: known ? [device] : [],
      celsius: known ? [last.celsius] : [],
      change: known ? [0] : [],
      intervalMs: known ? [1000] : [],
      eventAgeMs: known ? [ageMs] : [],
      heardAgeMs: known ? [ageMs] : [],
      flags: known ? [0] : [],
      ...this.world.fleet,
    };
  }

  /** Each listed device as a wave of its own around its value. */
  trends(): Trends {
    const { ids, celsius, nowMs } = this.fleet();
    const wave = (at: number, device: number) => Math.round(10 * at + 60 * Math.sin(device + nowMs / 1e6));
    const deciCelsius = ids.map((_, device) =>
      Array.from({ length: 20 }, (_, i) => (i === 7 ? null : wave(celsius[device] ?? 0, device + i / 3))),
    );
    return { nowMs, stepMs: 5_000, ids, deciCelsius };
  }

  alerts(): Alerts {
    return { nowMs: Date.now(), whole: true, episodes: this.world.episodes };
  }

  health(): Health {
    const sinceMs = Date.now() - 60_000;
    return {
      nowMs: Date.now(),
      ready: true,
      kafka: { up: true, sinceMs: null, dataUpToMs: null },
      pipelines: (["alert", "alert-count", "average-temperature"] as const).map((name) => ({
        name,
        state: "up-to-date",
        behind: 0,
        sinceMs,
      })),
      rejected: { count: 0, last: null },
      devicesDropped: 0,
      ...this.world.health,
    };
  }
}

export function calmWorld(nowMs = Date.now()): World {
  return {
    readings: calmReadings(nowMs),
    device: "machine-01",
    fleet: undefined,
    episodes: [],
    health: {},
    kpis: [
      { name: "alert_count", state: "empty", value: 0, windowEndMs: null, because: [] },
      { name: "average_temperature", state: "value", value: 21.13, windowEndMs: nowMs, because: [] },
    ],
    welcome: {},
    silent: false,
    truncated: false,
    // Longer than it is, so that no device falls silent because a machine is slow.
    intervalMs: 20_000,
  };
}

/** 100 s of a machine that is warm, but never too warm. */
export function calmReadings(nowMs: number): World["readings"] {
  return Array.from({ length: 100 }, (_, i) => {
    const timeMs = Math.round(nowMs - (99 - i) * 1000);
    return {
      timeMs,
      celsius: Number((20 + 6 * Math.sin(timeMs / 4_000) + Math.sin(timeMs / 700)).toFixed(2)),
    };
  });
}

/** A fleet of named devices; the flags by name. */
export function fleetOf(
  devices: { id: string; celsius: number; flags?: number; heardAgeMs?: number; eventAgeMs?: number }[],
): Fleet {
  return {
    nowMs: Date.now(),
    total: devices.length,
    inAlarm: devices.filter(({ flags = 0 }) => (flags & FLAG.inAlarm) !== 0).length,
    stale: devices.filter(({ flags = 0 }) => (flags & FLAG.stale) !== 0).length,
    ids: devices.map(({ id }) => id),
    celsius: devices.map(({ celsius }) => celsius),
    change: devices.map(() => 0.1),
    intervalMs: devices.map(() => 1000),
    eventAgeMs: devices.map(({ eventAgeMs = 200 }) => eventAgeMs),
    heardAgeMs: devices.map(({ heardAgeMs = 200 }) => heardAgeMs),
    flags: devices.map(({ flags = 0 }) => flags),
  };
}

export function columnsOf(readings: World["readings"]): Readings {
  return {
    t0: readings[0]?.timeMs ?? 0,
    dt: readings.map(({ timeMs }, i) => timeMs - (readings[i - 1]?.timeMs ?? timeMs)),
    celsius: readings.map(({ celsius }) => celsius),
  };
}

function lastOf(celsius: number, before: number | undefined, timeMs: number): LastReading {
  const change = before === undefined ? null : celsius - before;
  return { celsius, change, eventMs: timeMs, heardMs: timeMs };
}

function handshakeWatch({ watch }: Handshake): Watch {
  return { spanMs: null, ...watch };
}

function isTcp(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
