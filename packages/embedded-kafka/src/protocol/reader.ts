/** Reads the primitive types of the protocol, never past the end: https://kafka.apache.org/protocol#protocol_types */
import { DecodeError } from "./decode-error.ts";

export class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #position: number;

  constructor(bytes: Buffer, position = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = position;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** A decode error here; thrown by whoever finds the bytes wrong. */
  error(what: string): DecodeError {
    return new DecodeError(what, this.#position);
  }

  #take(length: number): number {
    const at = this.#position;
    if (length > this.#end - at) throw this.error(`${length} bytes wanted, ${this.#end - at} left`);
    this.#position = at + length;
    return at;
  }

  bool(): boolean {
    return this.#bytes.readInt8(this.#take(1)) !== 0;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** As a number: exact up to 2^53, the nearest double beyond. Offsets, ids and times stay below. */
  int64(): number {
    const at = this.#take(8);
    return this.#bytes.readInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4);
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** Base 128, least significant group first; at most 5 bytes. */
  unsignedVarint(): number {
    let value = 0;
    for (let group = 0; group < 5; group++) {
      const byte = this.#bytes.readUInt8(this.#take(1));
      value += (byte & 0x7f) * 2 ** (7 * group);
      if (byte < 0x80) {
        if (value > 0xffff_ffff) throw this.error("variable-length integer over 32 bits");
        return value;
      }
    }
    throw this.error("variable-length integer of more than 5 bytes");
  }

  /** Zigzag on top of {@link unsignedVarint}. */
  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Zigzag of up to 10 bytes; exact up to 2^53. */
  varlong(): number {
    let value = 0n;
    for (let group = 0n; group < 10n; group++) {
      const byte = this.#bytes.readUInt8(this.#take(1));
      value |= BigInt(byte & 0x7f) << (7n * group);
      if (byte < 0x80) return Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)));
    }
    throw this.error("variable-length integer of more than 10 bytes");
  }

  /** 16 bytes as 22 characters of URL-safe base 64: the way Kafka's tools print ids. */
  uuid(): string {
    const at = this.#take(16);
    return this.#bytes.toString("base64url", at, at + 16);
  }

  /** The next bytes, without copying. */
  slice(length: number): Buffer {
    if (length < 0) throw this.error(`negative length ${length}`);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  utf8(length: number): string {
    if (length < 0) throw this.error(`negative length ${length}`);
    const at = this.#take(length);
    return this.#bytes.toString("utf8", at, at + length);
  }

  /** A reader of the next bytes alone; this one continues after them. */
  nested(length: number): Reader {
    const at = this.#take(length);
    return new Reader(this.#bytes, at, at + length);
  }

  /** Fails where bytes are left over: a message that is longer than its schema is a wrong message. */
  expectEnd(): void {
    if (this.remaining > 0) throw this.error(`${this.remaining} bytes too many`);
  }
}
