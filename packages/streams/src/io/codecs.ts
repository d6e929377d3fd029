/** Compression codecs for kafkajs, which brings gzip alone and dies of the others (KIP-110 and the message format). */
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import kafkajs from "kafkajs";
import { StreamsError } from "../errors.ts";
import { decompressLz4 } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";

const zstdCompress = promisify(zlib.zstdCompress);
const zstdDecompress = promisify(zlib.zstdDecompress);

const { CompressionCodecs, CompressionTypes } = kafkajs;

interface Encoder {
  readonly buffer: Buffer;
}

/** Makes kafkajs read what any producer may send. Repeating it does no harm. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: () => Promise.reject(readOnly("snappy")),
    decompress: async (bytes: Buffer) => decompressSnappy(bytes),
  });
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: () => Promise.reject(readOnly("lz4")),
    decompress: async (bytes: Buffer) => decompressLz4(bytes),
  });
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: Encoder) => zstdCompress(encoder.buffer),
    decompress: (bytes: Buffer) => zstdDecompress(bytes),
  });
}

function readOnly(codec: string): StreamsError {
  return new StreamsError("STREAMS_CODEC", `${codec} can be read but not written here; write gzip or zstd.`);
}
