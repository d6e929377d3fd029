/** A page without a browser: connects again by itself, answers every `fleet`, and notes what it hears and when. */
import {
  eventTimes,
  type Health,
  type PageToServer,
  type Readings,
  type ServerToPage,
} from "@kelvin/schema/live";
import { io, type Socket } from "socket.io-client";

export interface PageSocket {
  /** Event time of the newest reading of the watched device. */
  readonly newestMs: number;
  readonly health: Health | undefined;
  close(): void;
}

export function openPage(url: string, device: string): PageSocket {
  const socket: Socket<ServerToPage, PageToServer> = io(url, {
    extraHeaders: { origin: url },
    auth: { watch: { device, have: null, spanMs: null } },
    reconnectionDelayMax: 1_000,
  });
  let newestMs = 0;
  let health: Health | undefined;
  const take = ({ readings }: { readings: Readings }) => {
    newestMs = Math.max(newestMs, ...eventTimes(readings));
  };
  socket.on("snapshot", take);
  socket.on("batch", take);
  socket.on("fleet", ({ nowMs }) => socket.emit("ack", { fleetMs: nowMs }));
  socket.on("health", (told) => {
    health = told;
  });
  return {
    get newestMs() {
      return newestMs;
    },
    get health() {
      return health;
    },
    close: () => socket.close(),
  };
}
