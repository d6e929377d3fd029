/** What Kafka knows of a group's partitions: ends of the topics, committed offsets and their metadata. */
import type { Kafka } from "kafkajs";
import type { Clock } from "../ports.ts";
import { keyOf } from "./consumer-session.ts";
import { withAdmin } from "./topics.ts";

export interface PartitionOffsets {
  /** The oldest record there is. */
  readonly low: number;
  /** The offset that the next record will get. */
  readonly high: number;
  /** The group's committed offset; negative where there is none (-1), or where Kafka was told "earliest" (-2). */
  readonly committed: number;
  readonly metadata: string | null;
}

/** By `topic/partition`. */
export async function offsetsOf(
  client: Kafka,
  clock: Clock,
  groupId: string,
  topics: readonly string[],
): Promise<Map<string, PartitionOffsets>> {
  return withAdmin(client, clock, async (admin) => {
    // kafkajs looks for the group's broker among those it knows, at first none, and looks again after 50 ms.
    await admin.describeCluster();
    // Positions first: they are never beyond an end that is asked for later.
    const committed = new Map<string, { offset: number; metadata: string | null }>();
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
      for (const { partition, offset, metadata } of partitions) {
        committed.set(keyOf(topic, partition), { offset: Number(offset), metadata });
      }
    }
    const result = new Map<string, PartitionOffsets>();
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const { offset = -1, metadata = null } = committed.get(keyOf(topic, partition)) ?? {};
        result.set(keyOf(topic, partition), {
          low: Number(low),
          high: Number(high),
          committed: offset,
          metadata,
        });
      }
    }
    return result;
  });
}
