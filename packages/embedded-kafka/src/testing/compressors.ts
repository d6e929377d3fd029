/** Ways to compress a batch in tests; those that Node has no encoder for store what they are given, in a legal frame. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Writer } from "../protocol/writer.ts";

export interface Compressor {
  readonly name: string;
  readonly attributes: number;
  readonly compress: (records: Buffer) => Buffer;
}

/** One literal: https://github.com/google/snappy/blob/main/format_description.txt */
function snappy(records: Buffer): Buffer {
  const writer = new Writer();
  writer.unsignedVarint(records.length);
  writer.bytes(Buffer.from([61 << 2, (records.length - 1) & 0xff, (records.length - 1) >> 8]));
  writer.bytes(records);
  return writer.concat();
}

/** One block that is not compressed, of a frame without checksums. */
function lz4(records: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE((records.length | 0x8000_0000) >>> 0);
  return Buffer.concat([Buffer.from("04224d18604082", "hex"), size, records, Buffer.alloc(4)]);
}

export const compressors: readonly Compressor[] = [
  { name: "none", attributes: 0, compress: (records) => records },
  { name: "gzip", attributes: 1, compress: (records) => gzipSync(records) },
  { name: "snappy", attributes: 2, compress: snappy },
  { name: "lz4", attributes: 3, compress: lz4 },
  { name: "zstd", attributes: 4, compress: (records) => zstdCompressSync(records) },
];
