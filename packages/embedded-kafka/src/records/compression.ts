/**
 * The codecs of the records in a batch. Only timestamp look-up, checks of compacted topics and inspection come
 * here: what a client produced is handed to consumers as it is.
 */
import * as zlib from "node:zlib";
import { DecodeError } from "../protocol/decode-error.ts";
import { codecs } from "./batch.ts";
import { decompressLz4 } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";

/** Far above `max.message.bytes` times any honest ratio: what a small batch may swell to. */
const MAX_BYTES = 256 * 1024 * 1024;

export function decompress(codec: number, bytes: Buffer): Buffer {
  try {
    switch (codecs[codec]) {
      case "none":
        return bytes;
      case "gzip":
        return zlib.gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
      case "snappy":
        return decompressSnappy(bytes, MAX_BYTES);
      case "lz4":
        return decompressLz4(bytes, MAX_BYTES);
      case "zstd":
        return zlib.zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES });
      default:
        throw new DecodeError(`unknown compression codec ${codec}`, 21);
    }
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    throw new DecodeError(`${codecs[codec]} data: ${error instanceof Error ? error.message : error}`, 61);
  }
}

/**
 * Compresses records again, with the codec they had where Node has it; those of snappy and lz4 stay plain, as any
 * client can read that.
 */
export function recompress(
  codec: number,
  records: Buffer,
): { readonly codec: number; readonly bytes: Buffer } {
  switch (codecs[codec]) {
    case "gzip":
      return { codec, bytes: zlib.gzipSync(records) };
    case "zstd":
      return { codec, bytes: zlib.zstdCompressSync(records) };
    default:
      return { codec: codecs.indexOf("none"), bytes: records };
  }
}
