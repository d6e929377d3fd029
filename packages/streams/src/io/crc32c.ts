/** CRC-32C (Castagnoli, RFC 3720 B.4), which Kafka's record batches carry. Eight bytes at a time ("slicing-by-8"). */

const POLYNOMIAL = 0x82f63b78;

/** `TABLES[n][b]`: what byte b does to the sum n bytes later. */
const TABLES: readonly Int32Array[] = tables();

export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let crc = -1;
  let i = from;
  if (t0 && t1 && t2 && t3 && t4 && t5 && t6 && t7) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; i + 8 <= to; i += 8) {
      const low = crc ^ view.getInt32(i, true);
      const high = view.getInt32(i + 4, true);
      crc =
        (t7[low & 0xff] ?? 0) ^
        (t6[(low >>> 8) & 0xff] ?? 0) ^
        (t5[(low >>> 16) & 0xff] ?? 0) ^
        (t4[low >>> 24] ?? 0) ^
        (t3[high & 0xff] ?? 0) ^
        (t2[(high >>> 8) & 0xff] ?? 0) ^
        (t1[(high >>> 16) & 0xff] ?? 0) ^
        (t0[high >>> 24] ?? 0);
    }
    for (; i < to; i++) crc = (t0[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function tables(): Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    return sum;
  });
  const all = [first];
  for (let n = 1, last = first; n < 8; n++) {
    last = last.map((sum) => (first[sum & 0xff] ?? 0) ^ (sum >>> 8));
    all.push(last);
  }
  return all;
}
