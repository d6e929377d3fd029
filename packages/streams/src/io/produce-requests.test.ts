import { createRequire } from "node:module";
import * as fc from "fast-check";
import type { Message } from "kafkajs";
import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { produceRequest } from "./produce-requests.ts";

type Make = (request: object) => { encode(): Promise<{ readonly buffer: Buffer }> };

/** kafkajs' own encoding of the request. */
async function theirs(request: object): Promise<Buffer> {
  const make: Make = createRequire(import.meta.url)("kafkajs/src/protocol/requests/produce/v7/request");
  return (await make(request).encode()).buffer;
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
const text = fc.string({ unit: "grapheme", maxLength: 60 });
// Of equal length: kafkajs looks for the earliest by their letters.
const timestamp = fc.integer({ min: 1_000_000_000_000, max: 9_000_000_000_000 }).map(String);
const message: fc.Arbitrary<Message> = fc.record(
  {
    key: fc.oneof(text, bytes, fc.constant(null)),
    value: fc.oneof(bytes, fc.constant(null)),
    timestamp,
    headers: fc.dictionary(text, fc.oneof(text, bytes, fc.array(text, { maxLength: 3 })), { maxKeys: 4 }),
  },
  { requiredKeys: ["value", "timestamp"] },
);
const topic = fc.record({
  topic: text,
  partitions: fc.array(
    fc.record({
      partition: fc.nat(),
      firstSequence: fc.nat(),
      messages: fc.array(message, { minLength: 1, maxLength: 20 }),
    }),
    { maxLength: 4 },
  ),
});
const request = fc.record({
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.nat(),
  transactionalId: fc.option(fc.string({ minLength: 1 }), { nil: null }),
  producerId: fc.nat(),
  producerEpoch: fc.nat({ max: 32_767 }),
  topicData: fc.array(topic, { maxLength: 3 }),
});

test("a produce request is, byte for byte, the one that kafkajs writes", async () => {
  await fc.assert(
    fc.asyncProperty(request, async (given) => {
      const written = produceRequest(given, Date.now());
      expect(written.equals(await theirs(given))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("records of any length are written with their lengths", async () => {
  for (const length of [0, 40, 50, 55, 56, 57, 60, 8_180, 8_186, 8_190, 1_048_570, 1_048_580, 3_000_000]) {
    const messages = [{ value: Buffer.alloc(length, 7), timestamp: "1000000000000" }];
    const given = {
      topicData: [{ topic: "t", partitions: [{ partition: 0, messages }] }],
      acks: -1,
      timeout: 1,
    };
    expect(produceRequest(given, 0).equals(await theirs(given)), `of ${length} bytes`).toBe(true);
  }
});

test("CRC-32C is that of RFC 3720", () => {
  const ascending = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(Buffer.concat([Buffer.of(9), ascending, Buffer.of(9)]), 1, 33)).toBe(0x46dd794e);
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
});
