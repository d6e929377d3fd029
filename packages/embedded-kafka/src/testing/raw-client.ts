/** A client for tests that says exactly what it is told, in any version of any API, or bare bytes. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { requestCodec, responseCodec } from "../protocol/codec.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { Reader } from "../protocol/reader.ts";
import { type Api, type Decoded, type Encodable, isFlexible } from "../protocol/schema.ts";
import { Writer } from "../protocol/writer.ts";

/** The broker ended the connection before it answered. */
export class ConnectionClosedError extends Error {
  override readonly name = "ConnectionClosedError";
  readonly code = "TEST_CONNECTION_CLOSED";
}

/** Is told of every question and its answer. */
export type Listener = (api: Api, version: number, request: object, response: object) => void;

interface Waiting {
  readonly answer: (frame: Buffer) => void;
  readonly fail: (error: Error) => void;
}

export class RawClient implements AsyncDisposable {
  readonly clientId: string;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  readonly #listener: Listener | undefined;
  #received: Buffer = Buffer.alloc(0);
  #correlationId = 0;
  #ended = false;

  private constructor(socket: Socket, clientId: string, listener?: Listener) {
    this.#socket = socket;
    this.#listener = listener;
    this.clientId = clientId;
    // Not once(): a reset would be its rejection, and nobody need wait for it.
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (chunk) => this.#data(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      for (const { fail } of this.#waiting.splice(0)) fail(new ConnectionClosedError("connection closed"));
    });
  }

  /** @param broker `host:port` */
  static async to(broker: string, clientId = "raw", listener?: Listener): Promise<RawClient> {
    const at = broker.lastIndexOf(":");
    const socket = connect({ host: broker.slice(0, at), port: Number(broker.slice(at + 1)) });
    await once(socket, "connect");
    return new RawClient(socket, clientId, listener);
  }

  #data(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0);
      if (this.#received.length < end) return;
      const frame = Buffer.from(this.#received.subarray(4, end));
      this.#received = this.#received.subarray(end);
      this.#waiting.shift()?.answer(frame);
    }
  }

  /** Tells of bytes as they come, in the pieces that they come in. */
  onBytes(received: (bytes: Buffer) => void): void {
    this.#socket.on("data", received);
  }

  /** Sends bytes as they are; for frames with their length see {@link frame}. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** The next response frame, without its length. Ask before the bytes are sent. */
  next(): Promise<Buffer> {
    return new Promise((answer, fail) => {
      if (this.#ended) fail(new ConnectionClosedError("connection closed"));
      else this.#waiting.push({ answer, fail });
    });
  }

  /** One request in one version, and its decoded response. */
  async send<A extends Api>(
    api: A,
    version: number,
    request: Encodable<A["request"]>,
  ): Promise<Decoded<A["response"]>> {
    const answer = this.next();
    const correlationId = this.post(api, version, request);
    const reader = new Reader(await answer);
    const answered = reader.int32();
    if (answered !== correlationId) throw reader.error(`response ${answered}, expected ${correlationId}`);
    if (isFlexible(api, version) && api.key !== apiVersions.key) reader.unsignedVarint();
    const response = responseCodec(api, version).decode(reader);
    this.#listener?.(api, version, request, response);
    return response;
  }

  /** One request for which no response is awaited; its correlation id. */
  post<A extends Api>(api: A, version: number, request: Encodable<A["request"]>): number {
    const correlationId = ++this.#correlationId;
    this.write(frame(api, version, request, correlationId, this.clientId));
    return correlationId;
  }

  /** Ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}

/** A request with its length and header. */
export function frame<A extends Api>(
  api: A,
  version: number,
  request: Encodable<A["request"]>,
  correlationId = 1,
  clientId = "raw",
): Buffer {
  const writer = new Writer();
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(correlationId);
  writer.int16(Buffer.byteLength(clientId));
  writer.utf8(clientId, Buffer.byteLength(clientId));
  if (isFlexible(api, version)) writer.unsignedVarint(0);
  requestCodec(api, version).encode(writer, request);
  return withLength(writer.concat());
}

/** Bytes with their length before them. */
export function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
