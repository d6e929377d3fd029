/** Tells the pages: a snapshot on connect, then batches; who may connect, and how much they may say. */
import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Socket as Connection } from "node:net";
import {
  type Alerts,
  type Goodbye,
  isAck,
  isCredentials,
  isHandshake,
  isWatch,
  KPIS,
  LIVE_VERSION,
  type Opening,
  type OpeningOf,
  type PageToServer,
  type ServerToPage,
  type Watch,
  type Welcome,
} from "@kelvin/schema/live";
import { type DefaultEventsMap, Server, type Socket } from "socket.io";
import type { Access } from "./access.ts";
import { Admission, type AdmissionOptions, type OpeningVerdict } from "./admission.ts";
import { STALE } from "./devices.ts";
import { Pacer } from "./pacer.ts";
import { type News, Rooms } from "./rooms.ts";
import type { LiveState } from "./state.ts";
import { Summaries } from "./summaries.ts";
import { trendsOf } from "./trends.ts";
import { Visitor } from "./visitor.ts";

/** Time between two batches of a room while there is much news. */
const BATCH_MS = 100;
const HEALTH_EVERY_SECONDS = 5;
/** How long a page may take to say goodbye when the server closes. */
const GOODBYE_MS = 500;
const MESSAGE_BYTES_MAX = 16 * 1024;
/** How soon a half-open connection is ended: after at most the sum of both, as one that answers nothing. */
const PING = { pingInterval: 5_000, pingTimeout: 25_000 };

/** Rooms of viewers that see the flow; one that can't keep up leaves them until it can, and alerts last. */
const flowOf = (wave: number) => `fleet:${wave}`;
const ALERTS = "alerts";
/** What the pacer calls the news that all get. */
const HEALTH = "health";
/** Viewers that wait for the first device. */
const UNDECIDED = "undecided";
const roomOf = (device: string) => `device:${device}`;

export interface SocketsOptions extends AdmissionOptions {
  readonly servers: readonly HttpServer[];
  readonly state: LiveState;
  readonly access: Access;
  readonly boot: string;
  readonly windowMs: number;
  /** The lengths that a chart may have, shortest first. */
  readonly spansMs: readonly number[];
  readonly limitKelvin: number;
  readonly topics: Welcome["topics"];
  readonly commands: Welcome["commands"];
}

type PageServer = Server<PageToServer, ServerToPage, DefaultEventsMap, Visitor>;
type PageSocket = Socket<PageToServer, ServerToPage, DefaultEventsMap, Visitor>;

export class Sockets {
  readonly #options: SocketsOptions;
  readonly #io: PageServer;
  readonly #rooms: Rooms;
  readonly #pacer: Pacer;
  readonly #admission: Admission;
  /** Those that became a websocket; the HTTP server counts them, but leaves them to us. */
  readonly #upgraded = new Set<Connection>();
  readonly #summaries: Summaries;
  #seconds = 0;

  constructor(options: SocketsOptions) {
    const { state, clock, boot, windowMs } = options;
    this.#options = options;
    this.#admission = new Admission(options);
    this.#rooms = new Rooms({ boot, state, clock, windowMs });
    this.#pacer = new Pacer(clock, BATCH_MS, (room) => this.#flush(room));
    this.#io = new Server({
      transports: ["websocket", "polling"],
      serveClient: false,
      maxHttpBufferSize: MESSAGE_BYTES_MAX,
      perMessageDeflate: false,
      connectTimeout: 10_000,
      ...PING,
      cors: { origin: [...options.allowedOrigins] },
      allowRequest: (request, answer) => {
        const verdict = this.#admission.judge(request);
        answer(verdict.ok ? null : verdict.why, verdict.ok);
      },
    });
    this.#io.use((socket, next) => {
      const auth: unknown = socket.handshake.auth;
      if (
        !options.access.admits(socket.request) &&
        !(isCredentials(auth) && options.access.isToken(auth.token))
      ) {
        next(new AccessError());
      } else if (!isHandshake(auth)) next(new HandshakeError());
      else next();
    });
    this.#io.on("connection", (socket) => this.#enter(socket));
    this.#io.of("/").adapter.on("delete-room", (room: string) => {
      if (room.startsWith("device:")) this.#rooms.forget(room.slice("device:".length));
    });
    for (const [i, server] of options.servers.entries()) {
      // One engine behind both loopbacks: socket.io makes it for the first, the others share it.
      if (i === 0) this.#io.attach(server);
      else this.#io.engine.attach(server, { path: this.#io.path() });
      server.on("upgrade", (request) => {
        this.#upgraded.add(request.socket);
        request.socket.once("close", () => this.#upgraded.delete(request.socket));
      });
    }
    this.#io.engine.on("connection", (connection: PageSocket["conn"]) => this.#admission.enter(connection));
    state.listen({
      deviceChanged: (device) => this.#deviceChanged(device),
      alertsChanged: () => this.#pacer.mark(ALERTS),
      healthChanged: () => this.#pacer.mark(HEALTH),
    });
    this.#countClients();
    this.#countSlow(0);
    this.#summaries = new Summaries(state, clock, (wave) => this.#tick(wave));
  }

  /** Whether the sender of a request may be told what a socket is told. */
  judgeOpening(request: IncomingMessage): OpeningVerdict {
    return this.#admission.judgeOpening(request);
  }

  /**
   * What `#enter` tells, for a page whose socket is not open yet.
   *
   * @param of without a device: of the worst
   */
  opening({ device, spanMs }: OpeningOf): Opening {
    const { state, clock, windowMs } = this.#options;
    const fleet = this.#summaries.newest();
    const chosen = device ?? fleet.ids[0];
    return {
      welcome: this.#welcome(),
      health: state.health(),
      alerts: this.#allAlerts(),
      fleet,
      trends: trendsOf(state.devices, fleet.ids, windowMs, clock.now()),
      snapshot: chosen === undefined ? null : this.#rooms.snapshot(chosen, this.#offered(spanMs ?? null)),
    };
  }

  /** Ends all connections; the pages try again by themselves. */
  async close(): Promise<void> {
    this.#summaries.close();
    this.#pacer.close();
    this.#io.emit("goodbye", this.#goodbye("closing"));
    this.#io.disconnectSockets(true);
    const cancel = this.#options.clock.setTimeout(() => {
      for (const connection of this.#upgraded) connection.destroy();
    }, GOODBYE_MS);
    await this.#io.close();
    cancel();
  }

  #enter(socket: PageSocket): void {
    const { clock, state, windowMs } = this.#options;
    socket.data = new Visitor(clock.monotonic(), this.#summaries.nextWave());
    const { valve, wave } = socket.data;
    socket.conn.on("packetCreate", ({ data }) => valve.sends(data?.length ?? 0));
    socket.on("disconnect", () => this.#countClients());
    this.#countClients();

    socket.emit("welcome", this.#welcome());
    const auth: unknown = socket.handshake.auth;
    if (isHandshake(auth)) this.#watch(socket, { spanMs: null, ...auth.watch });
    socket.emit("health", state.health());
    const fleet = this.#summaries.newest();
    socket.emit("trends", trendsOf(state.devices, fleet.ids, windowMs, clock.now()));
    socket.emit("alerts", this.#allAlerts());
    socket.emit("fleet", fleet);
    valve.beats(fleet.nowMs, this.#summaries.listenedMs());
    void socket.join([flowOf(wave), ALERTS]);
    this.#listenTo(socket);
  }

  /** Accepts messages that match the protocol, at a bearable rate; a page that keeps sending others is disconnected. */
  #listenTo(socket: PageSocket): void {
    const { clock, log, metrics } = this.#options;
    socket.use(([event, message], next) => {
      const isGood = (event === "watch" && isWatch(message)) || (event === "ack" && isAck(message));
      const verdict = socket.data.says(isGood, clock.monotonic());
      if (verdict !== "take") {
        metrics.count("kelvin_dashboard_refused_messages_total", "Messages of pages that were refused.");
      }
      if (verdict === "leave") {
        log.warn({ address: socket.handshake.address }, "page disconnected: too many or malformed messages");
        this.#hangUp(socket, "bad-messages");
      }
      if (verdict === "take") next();
    });
    socket.on("watch", (watch) => this.#watch(socket, watch));
    socket.on("ack", ({ fleetMs }) => this.#answered(socket, fleetMs));
  }

  #watch(socket: PageSocket, { device, have, spanMs }: Watch): void {
    const { data: visitor } = socket;
    visitor.spanMs = this.#offered(spanMs);
    if (visitor.room !== undefined) void socket.leave(visitor.room);
    const chosen = device ?? this.#summaries.newest().ids[0];
    visitor.room = chosen === undefined ? UNDECIDED : roomOf(chosen);
    // One that can't keep up is told when it can: the newest of what it has asked for, once.
    visitor.isOwed = visitor.valve.isShut;
    if (visitor.isOwed) return;
    if (chosen !== undefined) send(socket, this.#rooms.welcome(chosen, { have, spanMs: visitor.spanMs }));
    void socket.join(visitor.room);
  }

  /** More than there is can't be told. */
  #offered(spanMs: number | null): number | null {
    return spanMs === null ? null : Math.min(spanMs, Math.max(...this.#options.spansMs));
  }

  #deviceChanged(device: string): void {
    if (this.#rooms.has(device)) this.#pacer.mark(roomOf(device));
    if (this.#io.of("/").adapter.rooms.has(UNDECIDED)) this.#pacer.mark(UNDECIDED);
  }

  #flush(room: string): boolean {
    if (room === HEALTH) return this.#io.emit("health", this.#options.state.health());
    if (room === ALERTS) return this.#tellAlerts();
    if (room === UNDECIDED) {
      for (const socket of this.#in(UNDECIDED)) this.#watch(socket, again(socket.data, null));
      return true;
    }
    const news = this.#rooms.news(room.slice("device:".length));
    if (news !== undefined) send(this.#io.to(room), news);
    return news !== undefined;
  }

  #tellAlerts(): boolean {
    const { state, clock } = this.#options;
    const episodes = state.episodes.takeChanges();
    return (
      episodes.length > 0 &&
      this.#io.to(ALERTS).emit("alerts", { nowMs: clock.now(), whole: false, episodes })
    );
  }

  /** Ten times a second, each time for the pages of one wave. */
  #tick(wave: number): void {
    if (wave === 0) this.#seconds += 1;
    if (this.#io.of("/").sockets.size === 0) return;
    if (wave === 0) this.#tickSecond();
    this.#beat(wave);
    for (const socket of this.#io.of("/").sockets.values()) {
      if (socket.data.wave === wave) this.#lookAfter(socket);
    }
  }

  #tickSecond(): void {
    // A KPI may cease to be the present without any record coming.
    for (const device of this.#rooms.devices) this.#pacer.mark(roomOf(device));
    if (this.#seconds % HEALTH_EVERY_SECONDS === 0) this.#pacer.mark(HEALTH);
  }

  #beat(wave: number): void {
    const room = flowOf(wave);
    if (!this.#io.of("/").adapter.rooms.has(room)) return;
    const fleet = this.#summaries.newest();
    const nowMs = this.#summaries.listenedMs();
    this.#io.to(room).emit("fleet", fleet);
    for (const { data } of this.#in(room)) data.valve.beats(fleet.nowMs, nowMs);
  }

  /** Throttles a page that accepts too little of what it is sent: the server buffers nothing for it that grows. */
  #lookAfter(socket: PageSocket): void {
    const { metrics, log } = this.#options;
    const { data: visitor } = socket;
    switch (visitor.valve.judge(this.#summaries.listenedMs())) {
      case "shut":
        this.#countSlow(1);
        void socket.leave(flowOf(visitor.wave));
        if (visitor.room !== undefined) void socket.leave(visitor.room);
        visitor.isOwed = true;
        break;
      case "mute":
        metrics.count(
          "kelvin_dashboard_muted_clients_total",
          "Number of times a page was too slow even for alerts.",
        );
        void socket.leave(ALERTS);
        break;
      case "hang-up":
        metrics.count(
          "kelvin_dashboard_hung_up_clients_total",
          "Pages disconnected after accepting nothing for 30 s.",
        );
        log.info(
          { address: socket.handshake.address },
          "page disconnected: it has accepted nothing for 30 s",
        );
        this.#hangUp(socket, "too-slow");
        break;
      case "well":
        break;
    }
  }

  #answered(socket: PageSocket, fleetMs: number): void {
    const { data: visitor } = socket;
    const hasCaughtUp = visitor.valve.answers(fleetMs);
    if (hasCaughtUp) void socket.join(flowOf(visitor.wave));
    if (hasCaughtUp && visitor.valve.takeMuted()) {
      socket.emit("alerts", this.#allAlerts());
      void socket.join(ALERTS);
    }
    if (visitor.isOwed) this.#watch(socket, again(visitor, deviceOf(visitor.room)));
  }

  #welcome(): Welcome {
    const { clock, boot, windowMs, spansMs, limitKelvin, topics, commands } = this.#options;
    return {
      version: LIVE_VERSION,
      boot,
      nowMs: clock.now(),
      windowMs,
      spansMs: [...spansMs],
      limitKelvin,
      topics,
      kpis: KPIS.map(({ name, unit, windowSeconds }) => ({ name, unit, windowSeconds })),
      stale: STALE,
      commands,
    };
  }

  #allAlerts(): Alerts {
    const { clock, state } = this.#options;
    return { nowMs: clock.now(), whole: true, episodes: state.episodes.all() };
  }

  #goodbye(why: Goodbye["why"]): Goodbye {
    return { nowMs: this.#options.clock.now(), why };
  }

  /** Says why, and ends the connection, by force if the page does not even accept that. */
  #hangUp(socket: PageSocket, why: Goodbye["why"]): void {
    socket.emit("goodbye", this.#goodbye(why));
    socket.disconnect(true);
    const { socket: connection } = socket.request;
    const cancel = this.#options.clock.setTimeout(() => connection.destroy(), GOODBYE_MS);
    connection.once("close", cancel);
  }

  #in(room: string): PageSocket[] {
    const { adapter, sockets } = this.#io.of("/");
    const ids = adapter.rooms.get(room) ?? new Set();
    return [...ids].flatMap((id) => sockets.get(id) ?? []);
  }

  #countSlow(by: number): void {
    const help = "Number of times a page was too slow for the live data.";
    this.#options.metrics.count("kelvin_dashboard_slow_clients_total", help, {}, by);
  }

  #countClients(): void {
    this.#options.metrics.gauge(
      "kelvin_dashboard_clients",
      "Pages connected.",
      this.#io.of("/").sockets.size,
    );
  }
}

class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  readonly code = "DASHBOARD_HANDSHAKE";

  constructor() {
    super("The handshake does not match this server's protocol: reload the page.");
  }
}

class AccessError extends Error {
  override readonly name = "AccessError";
  readonly code = "DASHBOARD_ACCESS";

  constructor() {
    super("This dashboard requires a token: open its address with ?token=<token> once.");
  }
}

function send(to: { emit: PageSocket["emit"] }, news: News): void {
  if (news.event === "snapshot") to.emit("snapshot", news.data);
  else to.emit("batch", news.data);
}

/** What a page asked for, to be told it from its beginning. */
function again({ spanMs }: Visitor, device: string | null): Watch {
  return { device, have: null, spanMs };
}

function deviceOf(room: string | undefined): string | null {
  return room?.startsWith("device:") ? room.slice("device:".length) : null;
}
