import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Segment } from "./segment.ts";

/** Of two partitions' batches in one request: slices of one buffer. */
const received = fc
  .array(fc.uint8Array({ minLength: 60, maxLength: 400 }), { minLength: 1, maxLength: 200 })
  .map((all) => {
    const request = Buffer.concat(all);
    const ends = all.map((_, i) => all.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
    return ends.map((end, i) => request.subarray(ends[i - 1] ?? 0, end));
  });

test("packed batches keep their bytes, and hold on to little beyond them", () => {
  fc.assert(
    fc.property(received, (batches) => {
      const segment = new Segment(0, 0);
      const packed = batches.map((batch, offset) => {
        const bytes = segment.pack(batch);
        segment.append({ baseOffset: offset, lastOffset: offset, maxTimestampMs: 0, bytes });
        return bytes;
      });
      for (const [i, batch] of batches.entries()) expect(packed[i]?.equals(batch)).toBe(true);
      const held = new Set(packed.map(({ buffer }) => buffer));
      const heldBytes = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0);
      expect(heldBytes).toBeLessThan(3 * segment.bytes + 1024);
    }),
  );
});

test("a large batch is kept as it came, or copied where it is the lesser part of its request", () => {
  const request = Buffer.allocUnsafeSlow(100_000);
  const segment = new Segment(0, 0);
  expect(segment.pack(request.subarray(100)).buffer).toBe(request.buffer);
  const copy = segment.pack(request.subarray(0, 20_000));
  expect(copy.buffer.byteLength).toBe(20_000);
  expect(copy.equals(request.subarray(0, 20_000))).toBe(true);
});
