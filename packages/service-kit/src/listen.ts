/** Listening on this machine only, unless told otherwise. */
import { createServer, type RequestListener, type Server } from "node:http";
import { ListenError, PortBusyError } from "./errors.ts";

/** An HTTP server that listens, on one address or on both loopbacks. */
export interface Listening {
  /** One server for each address, both answering the same; socket.io attaches to each. */
  readonly servers: readonly Server[];
  readonly port: number;
  /** The address to open in a browser. */
  readonly url: string;
  /** Ends open connections and gives the port back. */
  close(): Promise<void>;
}

/** Where to listen, and whom a busy port's error tells to choose another. */
export interface ListenOptions {
  /** Undefined: 127.0.0.1 and ::1, both (`localhost` may mean either, and listening on it takes only one). */
  host: string | undefined;
  /** 0: a free port, the same on both addresses. */
  port: number;
  /** The variable that chooses another port, for the error's text. */
  portVariable?: string;
  /** Called for each server before it listens. */
  onServer?: (server: Server) => void;
}

const LOOPBACKS = ["127.0.0.1", "::1"];
/** How often a free port of the first address may turn out to be taken on the second. */
const FREE_PORT_TRIES = 20;

/**
 * Serves HTTP on the loopbacks, or on `host`.
 *
 * @throws PortBusyError, ListenError
 */
export async function listen(handler: RequestListener, options: ListenOptions): Promise<Listening> {
  const hosts = options.host === undefined ? LOOPBACKS : [options.host];
  const variable = options.portVariable ?? "PORT";
  for (let attempt = 1; ; attempt++) {
    const servers: Server[] = [];
    let port = options.port;
    try {
      for (const host of hosts) {
        const server = createServer(handler);
        options.onServer?.(server);
        const listening = await listenOn(server, host, port, variable);
        if (listening === undefined) continue;
        servers.push(server);
        port = listening;
      }
      if (servers.length === 0)
        throw new ListenError(hosts.join(" and "), port, "this machine has no such address.");
      return { servers, port, url: `http://${nameOf(options.host)}:${port}`, close: () => closeAll(servers) };
    } catch (error) {
      await closeAll(servers);
      if (options.port === 0 && error instanceof PortBusyError && attempt < FREE_PORT_TRIES) continue;
      throw error;
    }
  }
}

/** The port that is listened on; undefined where the machine has no such loopback (no IPv6, say). */
function listenOn(server: Server, host: string, port: number, variable: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const cause = { cause: error };
      if (error.code === "EADDRINUSE") reject(new PortBusyError(host, port, variable, cause));
      else if (error.code === "EACCES") {
        reject(
          new ListenError(
            host,
            port,
            `the operating system does not allow it. Choose another port with ${variable}.`,
            cause,
          ),
        );
      } else if (LOOPBACKS.includes(host) && isAbsent(error)) resolve(undefined);
      else reject(new ListenError(host, port, `${error.message}. Set HOST to use another address.`, cause));
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners("error");
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

function isAbsent(error: NodeJS.ErrnoException): boolean {
  return error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT";
}

function nameOf(host: string | undefined): string {
  if (host === undefined || host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    ),
  );
}
