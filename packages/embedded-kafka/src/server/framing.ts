/** Cuts a stream of bytes into frames: a length of 4 bytes, then that many bytes. */
import { DecodeError } from "../protocol/decode-error.ts";

const LENGTH_BYTES = 4;
/** The least size of a buffer for a frame that did not come in one piece: whoever only announces one costs no more. */
const LEAST_CAPACITY = 1024;
/** A buffer that is full becomes so many times as large: what has come is copied by a third once more, at most. */
const GROWTH = 4;

export class FrameReader {
  readonly #maxBytes: number;
  /** Bytes of the length field so far, where it came in pieces. */
  #length = Buffer.alloc(LENGTH_BYTES);
  #lengthBytes = 0;
  /** Bytes of the frame that is being put together; -1 between frames. */
  #announced = -1;
  #frame: Buffer = Buffer.alloc(0);
  #filled = 0;

  /** @param maxBytes `socket.request.max.bytes`. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the next bytes of the stream and gives the frames that they complete. A frame that lies in one piece is a
   * slice; any other gets a buffer that grows with what has come, not with what was announced, and ends at the exact
   * size.
   *
   * @throws DecodeError for a length that is negative or too large, before anything is allocated.
   */
  *feed(chunk: Buffer): Generator<Buffer> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#announced < 0) {
        at = this.#readLength(chunk, at);
        if (this.#announced < 0) return;
        if (chunk.length - at >= this.#announced) {
          const frame = chunk.subarray(at, at + this.#announced);
          at += this.#announced;
          this.#announced = -1;
          yield frame;
          continue;
        }
        this.#frame = Buffer.allocUnsafeSlow(
          Math.min(this.#announced, Math.max(LEAST_CAPACITY, (chunk.length - at) * GROWTH)),
        );
        this.#filled = 0;
      }
      const taken = Math.min(this.#announced - this.#filled, chunk.length - at);
      this.#grow(this.#filled + taken);
      chunk.copy(this.#frame, this.#filled, at, at + taken);
      this.#filled += taken;
      at += taken;
      if (this.#filled < this.#announced) return;
      const frame = this.#frame;
      this.#frame = Buffer.alloc(0);
      this.#announced = -1;
      yield frame;
    }
  }

  #readLength(chunk: Buffer, from: number): number {
    let at = from;
    while (this.#lengthBytes < LENGTH_BYTES && at < chunk.length) {
      this.#length[this.#lengthBytes++] = chunk[at++] ?? 0;
    }
    if (this.#lengthBytes < LENGTH_BYTES) return at;
    const length = this.#length.readInt32BE(0);
    if (length < 0 || length > this.#maxBytes) {
      throw new DecodeError(`frame of ${length} bytes, at most ${this.#maxBytes} are allowed`, 0);
    }
    this.#lengthBytes = 0;
    this.#announced = length;
    return at;
  }

  #grow(needed: number): void {
    if (needed <= this.#frame.length) return;
    const capacity = Math.min(this.#announced, Math.max(needed, this.#frame.length * GROWTH));
    const grown = Buffer.allocUnsafe(capacity);
    this.#frame.copy(grown, 0, 0, this.#filled);
    this.#frame = grown;
  }
}
