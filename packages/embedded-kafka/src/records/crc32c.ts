/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), sixteen bytes a step by tables ("slicing-by-16"). Check value of
 * "123456789": e3069283.
 */
import { endianness } from "node:os";

const POLYNOMIAL = 0x82f6_3b78;
/** Bytes a step. */
const STEP = 16;
const table = makeTables();
/** Words are read as the machine reads them; where that is the other way round, byte by byte has to do. */
const readsWords = endianness() === "LE";

/** Tables of 256 entries in one array: `table[k * 256 + byte]` is the effect of a byte k places before the end. */
function makeTables(): Int32Array {
  const tables = new Int32Array(STEP * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[byte] = crc;
  }
  for (let place = 1; place < STEP; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[(place - 1) * 256 + byte] ?? 0;
      tables[place * 256 + byte] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
    }
  }
  return tables;
}

/** The checksum of `bytes[start..end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  // A view of words begins at a multiple of four.
  const wordsAt = start + (-(bytes.byteOffset + start) & 3);
  const wordBytes = readsWords ? (end - wordsAt) & -STEP : 0;
  if (wordBytes <= 0) return ~byBytes(-1, bytes, start, end) >>> 0;
  let crc = byBytes(-1, bytes, start, wordsAt);
  crc = byWords(crc, new Int32Array(bytes.buffer, bytes.byteOffset + wordsAt, wordBytes / 4));
  return ~byBytes(crc, bytes, wordsAt + wordBytes, end) >>> 0;
}

function byBytes(before: number, bytes: Buffer, start: number, end: number): number {
  let crc = before;
  for (let at = start; at < end; at++) crc = (crc >>> 8) ^ entry(table, (crc ^ entry(bytes, at)) & 0xff);
  return crc;
}

/** @param words a multiple of four of them. */
function byWords(before: number, words: Int32Array): number {
  const t = table;
  let crc = before;
  for (let i = 0; i < words.length; i += 4) {
    const [a, b, c, d] = [
      crc ^ entry(words, i),
      entry(words, i + 1),
      entry(words, i + 2),
      entry(words, i + 3),
    ];
    crc =
      entry(t, 3840 + (a & 0xff)) ^
      entry(t, 3584 + ((a >>> 8) & 0xff)) ^
      entry(t, 3328 + ((a >>> 16) & 0xff)) ^
      entry(t, 3072 + (a >>> 24)) ^
      entry(t, 2816 + (b & 0xff)) ^
      entry(t, 2560 + ((b >>> 8) & 0xff)) ^
      entry(t, 2304 + ((b >>> 16) & 0xff)) ^
      entry(t, 2048 + (b >>> 24)) ^
      entry(t, 1792 + (c & 0xff)) ^
      entry(t, 1536 + ((c >>> 8) & 0xff)) ^
      entry(t, 1280 + ((c >>> 16) & 0xff)) ^
      entry(t, 1024 + (c >>> 24)) ^
      entry(t, 768 + (d & 0xff)) ^
      entry(t, 512 + ((d >>> 8) & 0xff)) ^
      entry(t, 256 + ((d >>> 16) & 0xff)) ^
      entry(t, d >>> 24);
  }
  return crc;
}

/** An entry; 0 beyond the end, where no caller goes. */
function entry(values: Int32Array | Buffer, index: number): number {
  return values[index] ?? 0;
}
