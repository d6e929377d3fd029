/** One broker id on the wire: the port it listens on, and its connections. It can be stopped and started again. */
import type { Socket } from "node:net";
import type { BrokerNode } from "../cluster/brokers.ts";
import type { Endpoint, RequestContext } from "../handlers/handler.ts";
import type { Log } from "../log-port.ts";
import type { Clock } from "../time/clock.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Interference } from "./interference.ts";
import { type Listeners, LOOPBACKS, listen } from "./listeners.ts";

export interface Address {
  /** Undefined: both loopbacks. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /** Host that clients are told; undefined: one that works for them. */
  readonly advertisedHost: string | undefined;
}

/** What all broker ids of the process share. */
export interface ServerShared {
  readonly clock: Clock;
  readonly log: Log;
  readonly maxRequestBytes: number;
  readonly dispatcher: Dispatcher;
  /** All of a request's context but what the broker and the request bring. */
  readonly context: Omit<RequestContext, "brokerId" | "apiVersion" | "client">;
  readonly interference: Interference;
  /** How a client that came in by an address reaches a broker. */
  endpointOf(broker: BrokerNode, localAddress: string): Endpoint;
}

const WILDCARDS: readonly string[] = ["0.0.0.0", "::"];

export class BrokerServer {
  readonly node: BrokerNode;
  readonly #address: Address;
  readonly #host: ConnectionHost;
  readonly #interference: Interference;
  readonly #connections = new Set<Connection>();
  /** Connected, and not let in yet. */
  readonly #atTheDoor = new Set<Socket>();
  #listeners: Listeners | null = null;
  #port = 0;

  constructor(node: BrokerNode, address: Address, shared: ServerShared) {
    this.node = node;
    this.#address = address;
    const { clock, log, maxRequestBytes, dispatcher, interference } = shared;
    this.#interference = interference;
    this.#host = {
      clock,
      log,
      maxRequestBytes,
      dispatcher,
      interference,
      context: (client, apiVersion) => ({ ...shared.context, brokerId: node.id, apiVersion, client }),
      endpointOf: (broker, localAddress) => shared.endpointOf(broker, localAddress),
    };
  }

  /** 0 before the first start; kept when stopped. */
  get port(): number {
    return this.#port;
  }

  get isRunning(): boolean {
    return this.#listeners !== null;
  }

  get connections(): readonly Connection[] {
    return [...this.#connections];
  }

  /**
   * Listens, on the same port as before where it was stopped.
   *
   * @throws PortInUseError, ListenError
   */
  async start(): Promise<void> {
    const { host, port } = this.#address;
    const hosts = host === undefined ? LOOPBACKS : [host];
    this.#listeners = await listen(hosts, this.#port || port, (socket) => this.#connected(socket));
    this.#port = this.#listeners.port;
  }

  /** Ends every connection and frees the port. */
  async stop(): Promise<void> {
    const closed = this.#listeners?.close();
    this.#listeners = null;
    for (const connection of this.connections) connection.close();
    for (const socket of this.#atTheDoor) socket.destroy();
    await closed;
  }

  #connected(socket: Socket): void {
    const accepted = this.#interference.acceptance(this.node.id);
    if (accepted === null) {
      this.#letIn(socket);
      return;
    }
    this.#atTheDoor.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#atTheDoor.delete(socket));
    void accepted.then(() => {
      if (this.#atTheDoor.delete(socket)) this.#letIn(socket);
    });
  }

  #letIn(socket: Socket): void {
    const connection = new Connection(socket, this.#host);
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
  }

  closeIdle(unusedSinceMs: number): void {
    for (const connection of this.connections) {
      if (!connection.busy && connection.lastUsedMs < unusedSinceMs) connection.close();
    }
  }

  /** The host to be told to a client: it must work for that client, however `localhost` resolves where it runs. */
  advertisedHost(localAddress: string): string {
    const { advertisedHost, host } = this.#address;
    if (advertisedHost !== undefined) return advertisedHost;
    if (host === undefined) return "127.0.0.1";
    return WILDCARDS.includes(host) ? localAddress.replace("::ffff:", "") : host;
  }
}
