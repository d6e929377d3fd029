import kafkajs from "kafkajs";
import { expect, test } from "vitest";

/** Hashes from Apache Kafka's own test, org.apache.kafka.common.utils.UtilsTest#testMurmur2. */
const JAVA: readonly [string, number][] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

test("a key lands in the partition where Java's client puts it", () => {
  const partition = kafkajs.Partitioners.DefaultPartitioner();
  for (const partitions of [3, 7, 1_000]) {
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      partitionErrorCode: 0,
      leader: 1,
      replicas: [1],
      isr: [1],
    }));
    for (const [key, hash] of JAVA) {
      const place = partition({ topic: "any", partitionMetadata, message: { key, value: null } });
      expect(place).toBe((hash & 0x7fffffff) % partitions);
    }
  }
});
