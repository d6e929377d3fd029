/** Readers and writers of the primitive types, at their edges. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DecodeError } from "./decode-error.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

function written(write: (writer: Writer) => void): string {
  const writer = new Writer(1);
  write(writer);
  return writer.concat().toString("hex");
}

function reader(hex: string): Reader {
  return new Reader(Buffer.from(hex, "hex"));
}

test.each([
  [0, "00"],
  [1, "01"],
  [127, "7f"],
  [128, "8001"],
  [16_383, "ff7f"],
  [16_384, "808001"],
  [2_147_483_647, "ffffffff07"],
  [4_294_967_295, "ffffffff0f"],
])("the unsigned var-int %i is %s", (value, hex) => {
  expect(written((w) => w.unsignedVarint(value))).toBe(hex);
  expect(reader(hex).unsignedVarint()).toBe(value);
});

test.each([
  [0, "00"],
  [-1, "01"],
  [1, "02"],
  [-64, "7f"],
  [64, "8001"],
  [2_147_483_647, "feffffff0f"],
  [-2_147_483_648, "ffffffff0f"],
])("the zigzag var-int %i is %s", (value, hex) => {
  expect(written((w) => w.varint(value))).toBe(hex);
  expect(reader(hex).varint()).toBe(value);
});

test.each([
  [0, "00"],
  [-1, "01"],
  [1_700_000_000_000, "80a0abfef962"],
  [-(2 ** 53), "ffffffffffffff1f"],
])("the zigzag var-long %i is %s", (value, hex) => {
  expect(written((w) => w.varlong(value))).toBe(hex);
  expect(reader(hex).varlong()).toBe(value);
});

test("the longest var-long is the smallest 64-bit number", () => {
  expect(reader("ffffffffffffffffff01").varlong()).toBe(-(2 ** 63));
});

test.each([
  ["a var-int of 6 bytes", "808080808001", (r: Reader) => r.unsignedVarint()],
  ["a var-int over 32 bits", "ffffffff1f", (r: Reader) => r.unsignedVarint()],
  ["a var-long of 11 bytes", "8080808080808080808001", (r: Reader) => r.varlong()],
  ["a negative length", "00", (r: Reader) => r.slice(-1)],
  ["a string of negative length", "00", (r: Reader) => r.utf8(-5)],
  ["a number that is cut", "000000", (r: Reader) => r.int32()],
  ["a part that is longer than the whole", "0000", (r: Reader) => r.nested(3)],
])("%s is a decode error", (_what, hex, read) => {
  expect(() => read(reader(hex))).toThrow(DecodeError);
});

test.each([
  [-1, "ffffffffffffffff"],
  [2 ** 53 - 1, "001fffffffffffff"],
  [-(2 ** 53), "ffe0000000000000"],
  [2 ** 63, "7fffffffffffffff"],
  [-(2 ** 64), "8000000000000000"],
])("%i is written as the 64-bit number %s", (value, hex) => {
  expect(written((w) => w.int64(value))).toBe(hex);
});

test("every number and text comes back as it was, through a buffer that has to grow", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.maxSafeInteger(), fc.string({ unit: "grapheme" }), fc.double(), fc.integer())),
      (values) => {
        const writer = new Writer(1);
        for (const [long, text, double, int] of values) {
          writer.int64(long);
          writer.uint32(Buffer.byteLength(text));
          writer.utf8(text, Buffer.byteLength(text));
          writer.float64(double);
          writer.varint(int);
          writer.varlong(long);
        }
        const read = new Reader(writer.concat());
        for (const [long, text, double, int] of values) {
          expect(read.int64()).toBe(long);
          expect(read.utf8(read.uint32())).toBe(text);
          expect(read.float64()).toBe(double);
          expect(read.varint()).toBe(int);
          expect(read.varlong()).toBe(long);
        }
        read.expectEnd();
      },
    ),
  );
});

test("long byte strings are handed on without a copy, short ones are copied", () => {
  const long = Buffer.alloc(5000, 1);
  const short = Buffer.from("short");
  const writer = new Writer();
  writer.bytes(short);
  writer.bytes(long);
  writer.bytes(short);
  expect(writer.length).toBe(5010);
  const parts = writer.finish();
  expect(parts).toContain(long);
  expect(Buffer.concat(parts)).toEqual(Buffer.concat([short, long, short]));
});
