import * as fc from "fast-check";
import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { javaPartitioner, murmur2, partitionOf } from "./partitioner.ts";

/** Hashes from Apache Kafka's own test, org.apache.kafka.common.utils.UtilsTest#testMurmur2. */
const JAVA: readonly [string, number][] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

const metadataOf = (partitions: number) =>
  Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));

test("a key lands in the partition where Java's client puts it", () => {
  for (const [key, hash] of JAVA) {
    expect(murmur2(Buffer.from(key))).toBe(hash);
    for (const partitions of [3, 7, 1_000])
      expect(partitionOf(key, partitions)).toBe((hash & 0x7fffffff) % partitions);
  }
});

test("any key, text or bytes, lands where kafkajs puts it", () => {
  const theirs = kafkajs.Partitioners.DefaultPartitioner();
  const ours = javaPartitioner();
  const key = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 50 }), (given, partitions) => {
      const args = {
        topic: "t",
        partitionMetadata: metadataOf(partitions),
        message: { key: given, value: null },
      };
      expect(ours(args)).toBe(theirs(args));
    }),
    { numRuns: 2_000 },
  );
});

test("a message with a partition of its own goes there; those without a key go to all of them in turn", () => {
  const ours = javaPartitioner();
  const place = (message: kafkajs.Message) => ours({ topic: "t", partitionMetadata: metadataOf(3), message });
  expect(place({ key: "abc", value: null, partition: 2 })).toBe(2);
  expect([1, 2, 3].map(() => place({ value: null })).sort()).toEqual([0, 1, 2]);
});
