/**
 * One client's connection. Requests are served one after the other, so responses keep their order, and one that waits
 * holds up those behind it, as in Apache Kafka.
 */
import type { Socket } from "node:net";
import type { BrokerNode } from "../cluster/brokers.ts";
import type { ClientConnection, Endpoint, RequestContext } from "../handlers/handler.ts";
import type { Log } from "../log-port.ts";
import { DecodeError } from "../protocol/decode-error.ts";
import { Reader } from "../protocol/reader.ts";
import type { Clock } from "../time/clock.ts";
import { nextTurn } from "../time/next-turn.ts";
import {
  type Dispatcher,
  type Reply,
  type RequestHeader,
  readRequestHeader,
  UnservedRequestError,
} from "./dispatch.ts";
import { FrameReader } from "./framing.ts";
import type { Interference, Wire } from "./interference.ts";

/** With this much unsent a client is too slow: nothing more is read from it or done for it until it has caught up. */
const UNSENT_BYTES_MAX = 64 * 1024 * 1024;
/** With this many requests waiting for their turn, or this many bytes of them, nothing more is read. */
const WAITING_REQUESTS_MAX = 64;
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

/** What a connection is part of. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly maxRequestBytes: number;
  readonly dispatcher: Dispatcher;
  /** All of a request's context but what the request itself brings. */
  context(client: ClientConnection, apiVersion: number): RequestContext;
  endpointOf(broker: BrokerNode, localAddress: string): Endpoint;
  /** Steps in between the connection and the handlers. */
  readonly interference: Pick<Interference, "around">;
}

export class Connection implements ClientConnection, Wire {
  readonly clientHost: string;
  clientId = "";
  /** When it was last heard. */
  lastUsedMs: number;
  requests = 0;
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #frames: FrameReader;
  readonly #localAddress: string;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  readonly #onClose = new Set<() => void>();
  /** A request is being served. */
  #busy = false;
  #closed = false;
  /** How many hold it up: nothing is read or served meanwhile. */
  #stalls = 0;

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#frames = new FrameReader(host.maxRequestBytes);
    this.#localAddress = socket.localAddress ?? "";
    this.clientHost = `/${(socket.remoteAddress ?? "").replace("::ffff:", "")}`;
    this.lastUsedMs = host.clock.now();
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#received(chunk));
    socket.on("drain", () => this.#resume());
    // A reset or a broken pipe: "close" follows, and there is nobody to tell.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#ended());
  }

  /** Whether a request is being served: such a connection is not idle. */
  get busy(): boolean {
    return this.#busy;
  }

  get closed(): boolean {
    return this.#closed;
  }

  endpointOf(broker: BrokerNode): Endpoint {
    return this.#host.endpointOf(broker, this.#localAddress);
  }

  onClose(closed: () => void): () => void {
    this.#onClose.add(closed);
    return () => void this.#onClose.delete(closed);
  }

  close(): void {
    // What was answered before goes out first.
    this.#socket.uncork();
    this.#socket.destroy();
    this.#ended();
  }

  write(bytes: Buffer): Promise<void> {
    // A turn of the event loop later: a client in the same process reads them apart from what comes next.
    return new Promise((resolve) => this.#socket.write(bytes, () => nextTurn(resolve)));
  }

  finish(bytes: Buffer): void {
    this.#socket.write(bytes);
    this.#socket.uncork();
    this.#socket.destroySoon();
    this.#ended();
  }

  stall(): () => void {
    this.#stalls += 1;
    this.#socket.pause();
    return () => {
      this.#stalls -= 1;
      this.#resume();
    };
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    for (const closed of [...this.#onClose]) closed();
    this.#onClose.clear();
  }

  #received(chunk: Buffer): void {
    if (this.#closed) return;
    this.lastUsedMs = this.#host.clock.now();
    try {
      for (const frame of this.#frames.feed(chunk)) {
        this.#waiting.push(frame);
        this.#waitingBytes += frame.length;
      }
    } catch (error) {
      // What came whole before is served, as far as nothing has to be waited for.
      this.#resume();
      this.#refuse(error, null);
      return;
    }
    this.#resume();
  }

  /** Serves what waits, for as long as nothing has to be waited for. */
  #resume(): void {
    this.#socket.cork();
    while (
      !this.#busy &&
      !this.#closed &&
      this.#stalls === 0 &&
      this.#socket.writableLength < UNSENT_BYTES_MAX
    ) {
      const frame = this.#waiting.shift();
      if (frame === undefined) break;
      this.#waitingBytes -= frame.length;
      this.#serve(frame);
    }
    this.#socket.uncork();
    const full =
      this.#stalls > 0 ||
      this.#waiting.length >= WAITING_REQUESTS_MAX ||
      this.#waitingBytes >= WAITING_BYTES_MAX ||
      this.#socket.writableLength >= UNSENT_BYTES_MAX;
    if (full) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #serve(frame: Buffer): void {
    this.requests += 1;
    const reader = new Reader(frame);
    let header: RequestHeader | null = null;
    try {
      header = readRequestHeader(reader);
      this.clientId = header.clientId;
      const context = this.#host.context(this, header.apiVersion);
      const { dispatcher, interference } = this.#host;
      const { brokerId } = context;
      const reply = dispatcher.serve(header, reader, context, (call, serve) =>
        interference.around({ ...call, brokerId, wire: this }, serve),
      );
      if (reply instanceof Promise) this.#later(reply, header);
      else this.#send(reply);
    } catch (error) {
      this.#refuse(error, header);
    }
  }

  #later(reply: Promise<Reply>, header: RequestHeader): void {
    this.#busy = true;
    const stopWaiting = this.onClose(() => {
      this.#busy = false;
    });
    const done = (then: () => void) => {
      stopWaiting();
      if (this.#closed) return;
      this.#busy = false;
      this.lastUsedMs = this.#host.clock.now();
      then();
      this.#resume();
    };
    reply.then(
      (parts) => done(() => this.#send(parts)),
      (error: unknown) => done(() => this.#refuse(error, header)),
    );
  }

  #send(parts: Reply): void {
    if (parts === null || this.#closed) return;
    for (const part of parts) this.#socket.write(part);
  }

  /** Bytes or requests that can't be answered end this connection, and no other. */
  #refuse(error: unknown, header: RequestHeader | null): void {
    const fields = {
      client: this.clientHost,
      clientId: this.clientId,
      api: header?.apiKey,
      version: header?.apiVersion,
      reason: error instanceof Error ? error.message : String(error),
    };
    if (error instanceof DecodeError)
      this.#host.log.warn(fields, "connection closed: bytes that are not a request");
    else if (error instanceof UnservedRequestError)
      this.#host.log.warn(fields, "connection closed: unsupported API or version");
    else this.#host.log.error(fields, "connection closed: the request failed");
    this.close();
  }
}
