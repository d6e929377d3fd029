/** What is wrong in bytes, or in a message of our own, one by one. All real messages: messages.test.ts. */
import { expect, test } from "vitest";
import { EncodeError, requestCodec } from "./codec.ts";
import { DecodeError } from "./decode-error.ts";
import { Reader } from "./reader.ts";
import { api, array, arrayOf, bytes, int8, int16, int32, string, struct, taggedStruct } from "./schema.ts";
import { Writer } from "./writer.ts";

const sample = api({
  key: 999,
  name: "Sample",
  versions: [0, 3],
  flexible: 2,
  request: {
    name: string({ nullable: 1 }),
    added: int16({ since: 1, default: 7 }),
    removed: int8({ until: 1, default: 0 }),
    list: array({ id: int32() }, { nullable: 3 }),
    numbers: arrayOf(int32(), { since: 3, default: [] }),
    content: bytes({ nullable: true }),
    maybe: struct({ id: int8() }, { since: 3, nullable: 3, default: null }),
    note: string({ since: 2, tag: 0, default: "" }),
    extra: taggedStruct({ id: int8() }, { since: 2, tag: 5 }),
  },
  response: {},
});

function decode(version: number, hex: string) {
  return requestCodec(sample, version).decode(new Reader(Buffer.from(hex, "hex")));
}

function encode(
  version: number,
  value: Parameters<ReturnType<typeof requestCodec<typeof sample>>["encode"]>[1],
): string {
  const writer = new Writer();
  requestCodec(sample, version).encode(writer, value);
  return writer.concat().toString("hex");
}

test("each version has its own fields, and the others their defaults", () => {
  const value = { name: "n", list: [{ id: 1 }], content: null };
  expect(encode(0, value)).toBe("00016e000000000100000001ffffffff");
  expect(encode(1, value)).toBe("00016e0007000000000100000001ffffffff");
  expect(encode(2, value)).toBe("026e0007020000000100" + "00" + "00");
  expect(encode(3, value)).toBe("026e000702000000010001" + "00" + "ff" + "00");
  expect(decode(0, "00016e050000000000000000")).toEqual({
    name: "n",
    added: 7,
    removed: 5,
    list: [],
    numbers: [],
    content: Buffer.alloc(0),
    maybe: null,
    note: "",
    extra: null,
  });
});

test("lists by default are not shared between two messages", () => {
  const first = decode(0, "00016e050000000000000000");
  first.numbers.push(1);
  expect(decode(0, "00016e050000000000000000").numbers).toEqual([]);
});

test("tagged fields are read if they are known, skipped if they are not, and omitted by default", () => {
  const [known, unknown] = ["00" + "04" + "04616263", "63" + "02" + "ffff"];
  expect(decode(2, `0000000101${"02"}${known}${unknown}`)).toMatchObject({ note: "abc", extra: null });
  const value = { name: null, list: [], content: Buffer.alloc(0), extra: { id: 9 } };
  expect(encode(2, value)).toBe("0000070101" + "01" + "05" + "02" + "0900");
  expect(decode(2, "0000070101" + "01" + "05" + "02" + "0900").extra).toEqual({ id: 9 });
});

test.each([
  ["a tag that comes twice", 2, `0000000101${"02"}${"000404616263"}${"000404616263"}`],
  ["a tag that is longer than the message", 2, `0000000101${"01"}${"000904616263"}`],
  ["a tag with bytes too many", 2, `0000000101${"01"}${"00050461626300"}`],
  ["more tags than there are bytes", 2, `0000000101${"7f"}`],
  ["null where none is allowed", 0, "ffff000000000000000000"],
  ["null for a list where none is allowed", 0, "000000ffffffff00000000"],
  ["a compact null for a list where none is allowed", 2, "00000000" + "01" + "00"],
  ["a string of negative length", 1, "fffe0000000000000000000000"],
  ["a list of negative length", 0, "000000fffffffe00000000"],
  ["more elements than there are bytes", 0, "0000007fffffff00000000"],
  ["a string that is longer than the message", 0, "7fff000000000000000000"],
])("%s is a decode error", (_what, version, hex) => {
  expect(() => decode(version, hex)).toThrow(DecodeError);
});

test("a decode error says what is wrong and where", () => {
  expect(() => decode(0, "00016e05000000")).toThrow("4 bytes wanted, 3 left at byte 4");
});

test("null where the version has none is an error of ours", () => {
  expect(() => encode(0, { name: null, list: [], content: null })).toThrow(EncodeError);
  expect(() => encode(2, { name: "n", list: null, content: null })).toThrow(EncodeError);
  expect(encode(3, { name: "n", list: null, content: null })).toBe("026e0007000100ff00");
});
