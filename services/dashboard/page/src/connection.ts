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

export interface Connection {
  /** What the server told by HTTP, for the first picture; passed over once the socket has begun to speak. */
  begin(opening: unknown): void;
  /** Shows another device. */
  watch(device: string): void;
  /** Called now and then: opens the way anew where the server has fallen silent. */
  check(): void;
  /** Messages that did not fit the contract and were passed over. */
  readonly misfits: number;
}

export interface ConnectionOptions {
  store: Store;
  clock: ServerClock;
  /** Where the server listens, below the page's own address. */
  path: string;
  /** The server speaks a newer contract: the page is old and should be loaded anew. */
  onOutdated(): void;
}

export function connect({ store, clock, path, onOutdated }: ConnectionOptions): Connection {
  let misfits = 0;
  let heardMs = clock.nowMs();
  let askedMs = -Infinity;
  /** True until the first message after each connect: it may be another server, with another clock. */
  let fresh = true;
  /** The way counts as open by what `begin` was told, until the socket says what is true. */
  let openedByMs: number | undefined;
  let isSocketHeard = false;

  const socket: Socket<Incoming, PageToServer> = io({
    path,
    transports: ["websocket", "polling"],
    reconnectionDelay: RETRY_FIRST_MS,
    reconnectionDelayMax: RETRY_LAST_MS,
    timeout: 5_000,
    auth: (answer) => {
      const handshake: Handshake = { watch: store.wanted };
      answer(handshake);
    },
  });

  /**
   * A handler that passes on what the guard lets through, with the server's clock already set by it.
   * @param refuseFirst called where the guard refuses the first message of a server
   */
  function checked<T extends { nowMs: number }>(
    guard: (message: unknown) => message is T,
    take: (message: T) => void,
    refuseFirst?: () => void,
  ): (message: unknown) => void {
    return (message) => {
      if (!guard(message)) {
        misfits++;
        if (fresh) refuseFirst?.();
        return;
      }
      if (fresh) clock.reset();
      fresh = false;
      clock.sample(message.nowMs);
      heardMs = clock.nowMs();
      take(message);
    };
  }

  function askForMissing(): void {
    if (clock.nowMs() - askedMs < ASK_AGAIN_MS) return;
    askedMs = clock.nowMs();
    socket.emit("watch", store.wanted);
  }

  function retry(): void {
    store.retrying();
    socket.connect();
  }

  socket.on("connect", () => {
    isSocketHeard = true;
    openedByMs = undefined;
    fresh = true;
    heardMs = clock.nowMs();
    askedMs = -Infinity;
    store.opened();
  });
  socket.on("disconnect", () => {
    store.lost(clock.nowMs());
    // Closed by the server: socket.io does not try again by itself then.
    // One that ends may have a neighbour who takes over, or is soon back; any other wants less of this page, not more.
    const isOver = store.link.state === "connecting" && store.link.goodbye === "closing";
    if (!socket.active) setTimeout(retry, isOver ? RETRY_FIRST_MS : RETRY_LAST_MS);
  });
  socket.on("connect_error", (error) => {
    isSocketHeard = true;
    openedByMs = undefined;
    store.lost(clock.nowMs());
    if (socket.active) return;
    store.refused(error.message);
    setTimeout(retry, RETRY_LAST_MS);
  });
  socket.io.on("reconnect_attempt", () => store.retrying());

  socket.on(
    "welcome",
    checked(
      isWelcome,
      (welcome) => {
        if (welcome.version !== LIVE_VERSION) onOutdated();
        else store.welcomed(welcome);
      },
      // A server that knows a KPI which this page doesn't, say.
      onOutdated,
    ),
  );
  socket.on(
    "snapshot",
    checked(isSnapshot, (snapshot) => {
      askedMs = -Infinity;
      store.snapshot(snapshot);
    }),
  );
  socket.on(
    "batch",
    checked(isBatch, (batch) => {
      if (store.batch(batch, clock.nowMs())) askedMs = -Infinity;
      else askForMissing();
    }),
  );
  socket.on(
    "fleet",
    checked(isFleet, (fleet) => {
      store.heardOf(fleet);
      // Messages come in order: who has this one has all before it.
      socket.emit("ack", { fleetMs: fleet.nowMs });
    }),
  );
  socket.on(
    "trends",
    checked(isTrends, (trends) => store.trended(trends)),
  );
  socket.on(
    "alerts",
    checked(isAlerts, (alerts) => store.alerted(alerts)),
  );
  socket.on(
    "health",
    checked(isHealth, (health) => store.checked(health)),
  );
  socket.on(
    "goodbye",
    checked(isGoodbye, ({ why }) => store.dismissed(why)),
  );

  return {
    begin(opening) {
      if (isSocketHeard || !isOpening(opening) || opening.welcome.version !== LIVE_VERSION) return;
      clock.sample(opening.welcome.nowMs);
      openedByMs = clock.nowMs();
      store.opened();
      store.welcomed(opening.welcome);
      store.checked(opening.health);
      store.trended(opening.trends);
      store.alerted(opening.alerts);
      store.heardOf(opening.fleet);
      if (opening.snapshot !== null) store.snapshot(opening.snapshot);
    },
    watch(device) {
      store.pick(device);
      if (socket.connected) socket.emit("watch", store.wanted);
    },
    check() {
      if (openedByMs !== undefined && clock.nowMs() - openedByMs > OPENING_HOLDS_MS) {
        openedByMs = undefined;
        store.lost(clock.nowMs());
      }
      if (!socket.connected || clock.nowMs() - heardMs < SILENCE_MS) return;
      // Ends this way to the server; "disconnect" then begins the next attempt by itself.
      socket.io.engine.close();
    },
    get misfits() {
      return misfits;
    },
  };
}
