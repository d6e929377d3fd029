/** However the network cuts the stream, the same frames come out; a bad length is refused before it costs anything. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DecodeError } from "../protocol/decode-error.ts";
import { withLength } from "../testing/raw-client.ts";
import { FrameReader } from "./framing.ts";

function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test("frames come out as they went in, whatever pieces they come in", () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 });
  const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(frames, sizes, (wanted, cuts) => {
      const reader = new FrameReader(1000);
      const stream = Buffer.concat(wanted.map((bytes) => withLength(Buffer.from(bytes))));
      const found = [...pieces(stream, cuts)].flatMap((piece) => [...reader.feed(piece)]);
      expect(found.map((frame) => [...frame])).toEqual(wanted.map((bytes) => [...bytes]));
    }),
  );
});

test("a large frame in small pieces ends in a buffer of exactly its size", () => {
  const content = Buffer.alloc(1_000_000, 7);
  const reader = new FrameReader(1 << 20);
  const [frame] = [...pieces(withLength(content), [1460])].flatMap((piece) => [...reader.feed(piece)]);
  expect(frame?.equals(content)).toBe(true);
  expect(frame?.buffer.byteLength).toBe(content.length);
});

test.each([-1, -2_147_483_648, 1001, 2_147_483_647])("a length of %i is refused", (length) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  expect(() => [...new FrameReader(1000).feed(bytes)]).toThrow(DecodeError);
});

test("memory grows with what came, not with what was announced", () => {
  const reader = new FrameReader(1 << 30);
  const announced = Buffer.alloc(10);
  announced.writeInt32BE(1 << 30);
  const before = process.memoryUsage().arrayBuffers;
  expect([...reader.feed(announced)]).toEqual([]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
});
