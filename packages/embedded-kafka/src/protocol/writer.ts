/** Writes the primitive types of the protocol into a list of buffers; large byte strings are put in as they are. */

/** From this size on a byte string is passed on as a slice instead of being copied. */
const SLICE_FROM_BYTES = 1024;

export class Writer {
  readonly #done: Buffer[] = [];
  #doneBytes = 0;
  #buffer: Buffer;
  /** Where in `#buffer` the part begins that is not in `#done` yet. */
  #start = 0;
  #position = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#doneBytes + this.#position - this.#start;
  }

  #reserve(length: number): number {
    const at = this.#position;
    if (at + length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at - this.#start + length));
      this.#buffer.copy(grown, 0, this.#start, at);
      this.#buffer = grown;
      this.#position = at - this.#start;
      this.#start = 0;
    }
    const from = this.#position;
    this.#position += length;
    return from;
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  int8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer.writeInt8(value, at);
  }

  uint8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer.writeUInt8(value, at);
  }

  int16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeInt16BE(value, at);
  }

  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  int32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeInt32BE(value, at);
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  /** Values beyond the range of 64 bits are cut to its ends. */
  int64(value: number): void {
    if (value >= 2 ** 63) return this.#int64(0x7fff_ffff, 0xffff_ffff);
    if (value < -(2 ** 63)) return this.#int64(-0x8000_0000, 0);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#int64(high, value - high * 0x1_0000_0000);
  }

  #int64(high: number, low: number): void {
    const at = this.#reserve(8);
    this.#buffer.writeInt32BE(high, at);
    this.#buffer.writeUInt32BE(low, at + 4);
  }

  float64(value: number): void {
    const at = this.#reserve(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  unsignedVarint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.uint8((rest & 0x7f) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.uint8(rest);
  }

  varint(value: number): void {
    this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  varlong(value: number): void {
    const signed = BigInt(value);
    let rest = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n));
    while (rest > 0x7fn) {
      this.uint8(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.uint8(Number(rest));
  }

  /** 22 characters of URL-safe base 64 as 16 bytes. */
  uuid(value: string): void {
    const at = this.#reserve(16);
    this.#buffer.write(value, at, 16, "base64url");
  }

  utf8(value: string, byteLength: number): void {
    const at = this.#reserve(byteLength);
    this.#buffer.write(value, at, byteLength, "utf8");
  }

  /** Small ones are copied, large ones taken over: they must not change afterwards. */
  bytes(value: Buffer): void {
    if (value.length < SLICE_FROM_BYTES) {
      const at = this.#reserve(value.length);
      value.copy(this.#buffer, at);
      return;
    }
    this.#flush();
    this.#done.push(value);
    this.#doneBytes += value.length;
  }

  #flush(): void {
    if (this.#position === this.#start) return;
    this.#done.push(this.#buffer.subarray(this.#start, this.#position));
    this.#doneBytes += this.#position - this.#start;
    this.#start = this.#position;
  }

  /** All that was written, in order. The writer is used up. */
  finish(): readonly Buffer[] {
    this.#flush();
    return this.#done;
  }

  /** All that was written, in one buffer. The writer is used up. */
  concat(): Buffer {
    return Buffer.concat(this.finish());
  }
}
