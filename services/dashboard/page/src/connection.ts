/** The socket: keeps the way to the server open, checks every message, and hands it to the store. */
import {
  type Handshake,
  isAlerts,
  isBatch,
  isFleet,
  isGoodbye,
  isHealth,
  isOpening,
  isSnapshot,
  isTrends,
  isWelcome,
  LIVE_VERSION,
  type PageToServer,
  type Welcome,
} from "@kelvin/schema/live";
import { io, type Socket } from "socket.io-client";
import type { ServerClock } from "./clock.ts";
import type { Store } from "./store.ts";

/** The server tells of the fleet once a second; a silence of this length means that the way is dead. */
const SILENCE_MS = 6_000;
const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 2_000;
/** So long after the opening was told the socket may take; after that nothing is known of the server any more. */
const OPENING_HOLDS_MS = 3_000;
/** How long an answer to "what is missing?" may take before it is asked again. */
const ASK_AGAIN_MS = 2_000;

/** Messages come unchecked: whatever the name, the content is `unknown` until a guard has seen it. */
type Incoming = Record<
  "welcome" | "snapshot" | "batch" | "fleet" | "trends" | "alerts" | "health" | "goodbye",
  (message: unknown) => void
>;

export interface ConnectionOptions {
  store: Store;
  clock: ServerClock;
  /** Where the server listens, below the page's own address. */
  path: string;
  /** The server uses a newer protocol: the page is old and should be reloaded. */
  onOutdated(): void;
}

export class Connection {
  readonly #store: Store;
  readonly #clock: ServerClock;
  readonly #onOutdated: () => void;
  readonly #socket: Socket<Incoming, PageToServer>;
  #misfits = 0;
  #heardMs: number;
  #askedMs = -Infinity;
  /** True until the first message after each connect: it may be another server, with another clock. */
  #isFresh = true;
  /** The way counts as open by what {@link begin} was told, until the socket says what is true. */
  #openedByMs: number | undefined;
  #isSocketHeard = false;
  /** The viewer's device when the handshake was made: another one may be chosen before it is answered. */
  #greetedFor: string | undefined;

  constructor({ store, clock, path, onOutdated }: ConnectionOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#onOutdated = onOutdated;
    this.#heardMs = clock.nowMs();
    this.#socket = io({
      path,
      transports: ["websocket", "polling"],
      reconnectionDelay: RETRY_FIRST_MS,
      reconnectionDelayMax: RETRY_LAST_MS,
      timeout: 5_000,
      auth: (answer) => {
        this.#greetedFor = store.picked;
        const handshake: Handshake = { watch: store.wanted };
        answer(handshake);
      },
    });
    this.#followTheWay();
    this.#followTheDevice();
    this.#followTheRest();
  }

  /** Messages that did not match the protocol and were ignored. */
  get misfits(): number {
    return this.#misfits;
  }

  /** What the server told by HTTP, for the first picture; ignored once the socket has sent something. */
  begin(opening: unknown): void {
    if (this.#isSocketHeard || !isOpening(opening) || opening.welcome.version !== LIVE_VERSION) return;
    const store = this.#store;
    this.#clock.sample(opening.welcome.nowMs);
    this.#openedByMs = this.#clock.nowMs();
    store.opened();
    store.welcomed(opening.welcome);
    store.checked(opening.health);
    store.trended(opening.trends);
    store.alerted(opening.alerts);
    store.heardOf(opening.fleet);
    if (opening.snapshot !== null) store.snapshot(opening.snapshot);
  }

  /** Shows another device. */
  watch(device: string): void {
    this.#store.pick(device);
    this.#ask();
  }

  /**
   * Shows more or less of the past.
   *
   * @param spanMs undefined: as much as the server shows by itself
   */
  stretch(spanMs: number | undefined): void {
    const store = this.#store;
    store.stretch(spanMs);
    if (store.isShort) this.#ask();
  }

  /** Called now and then: reconnects if the server has fallen silent. */
  check(): void {
    const nowMs = this.#clock.nowMs();
    if (this.#openedByMs !== undefined && nowMs - this.#openedByMs > OPENING_HOLDS_MS) {
      this.#openedByMs = undefined;
      this.#store.lost(nowMs);
    }
    if (!this.#socket.connected || nowMs - this.#heardMs < SILENCE_MS) return;
    // Ends this way to the server; "disconnect" then begins the next attempt by itself.
    this.#socket.io.engine.close();
  }

  #followTheWay(): void {
    const [store, socket] = [this.#store, this.#socket];
    socket.on("connect", () => {
      this.#socketSpoke();
      this.#isFresh = true;
      this.#heardMs = this.#clock.nowMs();
      this.#askedMs = -Infinity;
      store.opened();
      if (store.picked !== this.#greetedFor) this.#ask();
    });
    socket.on("disconnect", () => {
      store.lost(this.#clock.nowMs());
      // Closed by the server: socket.io does not try again by itself then.
      // One that ends may have a neighbour who takes over, or is soon back; any other wants less of this page, not more.
      const isOver = store.link.state === "connecting" && store.link.goodbye === "closing";
      if (!socket.active) this.#retryAfter(isOver ? RETRY_FIRST_MS : RETRY_LAST_MS);
    });
    socket.on("connect_error", (error) => {
      this.#socketSpoke();
      store.lost(this.#clock.nowMs());
      if (socket.active) return;
      store.refused(error.message);
      this.#retryAfter(RETRY_LAST_MS);
    });
    socket.io.on("reconnect_attempt", () => store.retrying());
  }

  /** The series of the device that is shown. */
  #followTheDevice(): void {
    this.#on("snapshot", isSnapshot, (snapshot) => {
      this.#store.snapshot(snapshot);
      this.#took(!this.#store.isShort);
    });
    this.#on("batch", isBatch, (batch) => {
      this.#took(this.#store.batch(batch, this.#clock.nowMs()) && !this.#store.isShort);
    });
  }

  #followTheRest(): void {
    const store = this.#store;
    const welcomed = (welcome: Welcome) =>
      welcome.version === LIVE_VERSION ? store.welcomed(welcome) : this.#onOutdated();
    // One that is no welcome to us is a newer server's: with a KPI that this page doesn't know, say.
    this.#on("welcome", isWelcome, welcomed, this.#onOutdated);
    this.#on("fleet", isFleet, (fleet) => {
      store.heardOf(fleet);
      // Messages come in order: who has this one has all before it.
      this.#socket.emit("ack", { fleetMs: fleet.nowMs });
    });
    this.#on("trends", isTrends, (trends) => store.trended(trends));
    this.#on("alerts", isAlerts, (alerts) => store.alerted(alerts));
    this.#on("health", isHealth, (health) => store.checked(health));
    this.#on("goodbye", isGoodbye, ({ why }) => store.dismissed(why));
  }

  /**
   * Takes what the guard lets through, with the server's clock already set by it.
   * @param refuseFirst called where the guard refuses the first message of a server
   */
  #on<T extends { nowMs: number }>(
    name: keyof Incoming,
    guard: (message: unknown) => message is T,
    take: (message: T) => void,
    refuseFirst?: () => void,
  ): void {
    this.#socket.on(name, (message) => {
      if (!guard(message)) {
        this.#misfits++;
        if (this.#isFresh) refuseFirst?.();
        return;
      }
      if (this.#isFresh) this.#clock.reset();
      this.#isFresh = false;
      this.#clock.sample(message.nowMs);
      this.#heardMs = this.#clock.nowMs();
      take(message);
    });
  }

  #socketSpoke(): void {
    this.#isSocketHeard = true;
    this.#openedByMs = undefined;
  }

  /** @param isWhole nothing is missing of what should be there by now */
  #took(isWhole: boolean): void {
    if (isWhole) this.#askedMs = -Infinity;
    else this.#askForMissing();
  }

  #askForMissing(): void {
    if (this.#clock.nowMs() - this.#askedMs >= ASK_AGAIN_MS) this.#ask();
  }

  /** Not connected, the handshake will ask. */
  #ask(): void {
    if (!this.#socket.connected) return;
    this.#askedMs = this.#clock.nowMs();
    this.#socket.emit("watch", this.#store.wanted);
  }

  #retryAfter(ms: number): void {
    setTimeout(() => {
      this.#store.retrying();
      this.#socket.connect();
    }, ms);
  }
}
