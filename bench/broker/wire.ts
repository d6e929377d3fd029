/** A connection that sends ready-made frames and looks at no more of the answers than their length and error. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const RECEIVE_BYTES = 1024 * 1024;
/** As much of an answer as is kept to look at. */
const HEAD_BYTES = 512;

/** The broker refused what the bench asked for: its figures would mean nothing. */
export class BenchRefusedError extends Error {
  override readonly name = "BenchRefusedError";
  readonly code = "BENCH_REFUSED";
}

export class Wire implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #closed: Promise<unknown>;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  /** Of the answer that is coming; -1 before its length is known. */
  #left = -1;
  #answered: (bytes: number) => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  private constructor(host: string, port: number) {
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(RECEIVE_BYTES),
        callback: (length, bytes) => this.#received(Buffer.from(bytes.buffer, bytes.byteOffset, length)),
      },
    });
    this.#closed = once(this.#socket, "close");
    this.#socket.on("error", (error) => this.#failed(error));
    this.#socket.on("close", () => this.#failed(new BenchRefusedError("the connection ended")));
  }

  /** @param broker `host:port` */
  static async to(broker: string): Promise<Wire> {
    const at = broker.lastIndexOf(":");
    const wire = new Wire(broker.slice(0, at), Number(broker.slice(at + 1)));
    await once(wire.#socket, "connect");
    return wire;
  }

  #received(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(this.#left < 0 ? 4 - this.#headBytes : this.#left, chunk.length - at);
      if (this.#headBytes < HEAD_BYTES) {
        chunk.copy(this.#head, this.#headBytes, at, at + taken);
        this.#headBytes = Math.min(this.#headBytes + taken, HEAD_BYTES);
      }
      at += taken;
      if (this.#left >= 0) this.#left -= taken;
      else if (this.#headBytes === 4) this.#left = this.#head.readInt32BE(0);
      if (this.#left === 0) {
        this.#left = -1;
        this.#headBytes = 0;
        this.#answered(this.#head.readInt32BE(0));
      }
    }
    return true;
  }

  /**
   * Sends the frames in turn, `count` times in all, with so many unanswered; resolves with the bytes of all answers.
   *
   * @param errorAt where an answer's error code is.
   * @throws BenchRefusedError
   */
  pump(frames: readonly Buffer[], errorAt: number, count: number, inFlight: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let answered = 0;
      let bytes = 0;
      const send = () => {
        const frame = frames[sent % frames.length];
        if (sent >= count || frame === undefined) return;
        sent += 1;
        this.#socket.write(frame);
      };
      this.#failed = reject;
      this.#answered = (length) => {
        const errorCode = this.#head.readInt16BE(errorAt);
        if (errorCode !== 0) return reject(new BenchRefusedError(`the broker answered error ${errorCode}`));
        bytes += length;
        answered += 1;
        if (answered === count) resolve(bytes);
        else send();
      };
      this.#socket.cork();
      for (let i = 0; i < inFlight; i++) send();
      this.#socket.uncork();
    });
  }

  /** One after the other; milliseconds of each. */
  async roundTrips(frame: Buffer, errorAt: number, count: number): Promise<number[]> {
    const samples: number[] = [];
    for (let i = 0; i < count; i++) {
      const beganMs = performance.now();
      await this.pump([frame], errorAt, 1, 1);
      samples.push(performance.now() - beganMs);
    }
    return samples;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }
}
