/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes a step by tables. Check value of "123456789": e3069283. */

const POLYNOMIAL = 0x82f6_3b78;
const table = makeTables();

/** Eight tables of 256 entries in one array: `table[k * 256 + byte]` is the effect of a byte k places before the end. */
function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[byte] = crc;
  }
  for (let place = 1; place < 8; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[(place - 1) * 256 + byte] ?? 0;
      tables[place * 256 + byte] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
    }
  }
  return tables;
}

/** The checksum of `bytes[start..end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  const t = table;
  let crc = -1;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    const low = crc ^ readLittle(bytes, at);
    const high = readLittle(bytes, at + 4);
    crc =
      entry(t, 1792 + (low & 0xff)) ^
      entry(t, 1536 + ((low >>> 8) & 0xff)) ^
      entry(t, 1280 + ((low >>> 16) & 0xff)) ^
      entry(t, 1024 + (low >>> 24)) ^
      entry(t, 768 + (high & 0xff)) ^
      entry(t, 512 + ((high >>> 8) & 0xff)) ^
      entry(t, 256 + ((high >>> 16) & 0xff)) ^
      entry(t, high >>> 24);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ entry(t, (crc ^ (bytes[at] ?? 0)) & 0xff);
  return ~crc >>> 0;
}

function entry(t: Int32Array, index: number): number {
  return t[index] ?? 0;
}

function readLittle(bytes: Buffer, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}
