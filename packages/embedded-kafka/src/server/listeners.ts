/** The sockets that a broker listens on: one port, on one or several addresses of the machine. */
import { createServer, type Server, type Socket } from "node:net";

/** The port is taken by another process. */
export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
  readonly code = "BROKER_PORT_IN_USE";
  readonly port: number;

  constructor(host: string, port: number, options?: ErrorOptions) {
    super(`port ${port} on ${host} is in use by another program`, options);
    this.port = port;
  }
}

/** The address can't be listened on. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code = "BROKER_CANNOT_LISTEN";
}

/** Both loopbacks: `localhost` means either of them, and each client picks as it likes. */
export const LOOPBACKS: readonly string[] = ["127.0.0.1", "::1"];

/** How often another free port is tried where the one that 127.0.0.1 gave is taken on ::1. */
const TRIES = 10;

export interface Listeners {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on a port of every host; on port 0, on the same free port of all of them. A machine without IPv6 does without
 * ::1, unless that is the only host.
 *
 * @throws PortInUseError, ListenError
 */
export async function listen(
  hosts: readonly string[],
  port: number,
  connected: (socket: Socket) => void,
): Promise<Listeners> {
  for (let left = TRIES; ; left--) {
    try {
      return await listenOnAll(hosts, port, connected);
    } catch (error) {
      if (port !== 0 || left === 0 || !(error instanceof PortInUseError)) throw error;
    }
  }
}

async function listenOnAll(
  hosts: readonly string[],
  port: number,
  connected: (socket: Socket) => void,
): Promise<Listeners> {
  const servers: Server[] = [];
  let actualPort = port;
  try {
    for (const host of hosts) {
      const server = await listenOn(host, actualPort, connected, servers.length > 0);
      if (server === null) continue;
      servers.push(server);
      const address = server.address();
      if (address !== null && typeof address === "object") actualPort = address.port;
    }
  } catch (error) {
    await closeAll(servers);
    throw error;
  }
  return { port: actualPort, close: () => closeAll(servers) };
}

/** Null where the machine has no such address and `optional` says that it need not. */
function listenOn(
  host: string,
  port: number,
  connected: (socket: Socket) => void,
  optional: boolean,
): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, connected);
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const absent = cause.code === "EADDRNOTAVAIL" || cause.code === "EAFNOSUPPORT";
      if (absent && optional) resolve(null);
      else if (cause.code === "EADDRINUSE") reject(new PortInUseError(host, port, { cause }));
      else reject(new ListenError(`can't listen on ${host} port ${port}: ${cause.message}`, { cause }));
    });
    server.listen({ host, port, ipv6Only: host === "::1" }, () => resolve(server));
  });
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(() => done()))));
}
