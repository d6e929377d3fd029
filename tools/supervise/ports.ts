/** Whether the ports that are needed can be had, asked before anything is started. */
import { createServer } from "node:net";
import { ToolError } from "./errors.ts";

export interface WantedPort {
  /** Who wants it. */
  for: string;
  port: number;
  /** The variable that chooses another. */
  variable: string;
  /** The address; both loopbacks where undefined. */
  host?: string | undefined;
}

const LOOPBACKS = ["127.0.0.1", "::1"];
const FREE_PORT_TRIES = 50;

/** @throws ToolError naming every port that is in use, and the variable that changes it */
export async function mustBeFree(wanted: readonly WantedPort[]): Promise<void> {
  const busy: string[] = [];
  for (const { for: user, port, variable, host } of wanted) {
    if (await isFree(port, host)) continue;
    busy.push(`Port ${port} (${user}) is in use by another program. Choose another: ${variable}=<port>.`);
  }
  if (busy.length > 0) throw new ToolError(busy.join("\n"), { exitCode: 2 });
}

/** Ports that were free a moment ago, on both loopbacks. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < FREE_PORT_TRIES * count && found.size < count; attempt++) {
    const port = await listenBriefly(0, "127.0.0.1");
    if (port !== undefined && !found.has(port) && (await isFree(port, undefined))) found.add(port);
  }
  if (found.size < count) throw new ToolError("The operating system has no free ports.");
  return [...found];
}

/** The port where it is free, else another; 0 stands for any. */
export async function freePortLike(port: number): Promise<number> {
  if (port !== 0 && (await isFree(port, undefined))) return port;
  const [other = 0] = await freePorts(1);
  return other;
}

async function isFree(port: number, host: string | undefined): Promise<boolean> {
  for (const address of host === undefined ? LOOPBACKS : [host]) {
    if ((await listenBriefly(port, address)) === undefined) return false;
  }
  return true;
}

/** The port that could be listened on; undefined where another program does. */
function listenBriefly(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      // A machine without IPv6, say: whoever listens there later leaves it out as well.
      resolve(error.code === "EADDRINUSE" || error.code === "EACCES" ? undefined : port);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const got = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(got));
    });
  });
}
