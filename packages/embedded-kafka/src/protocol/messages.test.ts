/** Every message in every version that is served: Kafka's own bytes, round trips, cut and changed bytes. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { handlers } from "../handlers/index.ts";
import { arbitraryOf, type Side, sampleOf, toEncodable, versionsOf } from "../testing/samples.ts";
import { requestCodec, responseCodec } from "./codec.ts";
import { DecodeError } from "./decode-error.ts";
import { Reader } from "./reader.ts";
import type { Api } from "./schema.ts";
import { Writer } from "./writer.ts";

/** Made by Apache Kafka's own classes: see golden/main.ts. */
const golden: Record<string, string> = JSON.parse(
  readFileSync(new URL("../../golden/messages.json", import.meta.url), "utf8"),
);

const sides: readonly Side[] = ["request", "response"];
const messages = handlers.flatMap(({ api }) =>
  versionsOf(api).flatMap((version) => sides.map((side) => ({ api, version, side, name: api.name }))),
);
type Message = (typeof messages)[number];

function encode({ api, version, side }: Message, value: Record<string, unknown>): Buffer {
  const writer = new Writer();
  const codec = side === "request" ? requestCodec(api, version) : responseCodec(api, version);
  codec.encode(writer, toEncodable(api[side], value) as never);
  return writer.concat();
}

function decode({ api, version, side }: Message, bytes: Buffer): unknown {
  const codec = side === "request" ? requestCodec(api, version) : responseCodec(api, version);
  return codec.decode(new Reader(bytes));
}

/** Bytes after the end are an error everywhere but where the schema excuses them. */
function excusesTrailingBytes(api: Api, version: number, side: Side): boolean {
  return side === "request" && api.trailingBytesSince !== undefined && version >= api.trailingBytesSince;
}

test("there are golden bytes for every message in every version, and for no other", () => {
  const kinds = ["full", "bare"];
  const expected = messages.flatMap(({ name, version, side }) =>
    kinds.map((kind) => `${name} ${version} ${side} ${kind}`),
  );
  expect(Object.keys(golden).sort()).toEqual(expected.sort());
});

describe.each(messages)("$name $version $side", (message) => {
  const { api, version, side, name } = message;

  test.each(["full", "bare"] as const)("is Apache Kafka's own bytes (%s)", (kind) => {
    const value = sampleOf(api, side, version, kind);
    const bytes = golden[`${name} ${version} ${side} ${kind}`];
    expect(encode(message, value).toString("hex")).toBe(bytes);
    expect(decode(message, Buffer.from(bytes ?? "", "hex"))).toEqual(value);
  });

  test("comes back from bytes as it was", () => {
    fc.assert(
      fc.property(arbitraryOf(api, side, version), (value) => {
        expect(decode(message, encode(message, value))).toEqual(value);
      }),
      { numRuns: 20 },
    );
  });

  test("is refused when it is cut anywhere, or has a byte too many", () => {
    const bytes = encode(message, sampleOf(api, side, version, "full"));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(message, bytes.subarray(0, length))).toThrow(DecodeError);
    }
    const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
    if (excusesTrailingBytes(api, version, side)) decode(message, longer);
    else expect(() => decode(message, longer)).toThrow(DecodeError);
  });

  test("gives a value or a decode error, nothing else, when bytes are changed", () => {
    const bytes = encode(message, sampleOf(api, side, version, "full"));
    const change = fc.tuple(fc.nat({ max: Math.max(bytes.length - 1, 0) }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, byte] of changes) if (at < changed.length) changed[at] = byte;
        try {
          decode(message, changed);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 30, seed: 20_260 },
    );
  });
});
