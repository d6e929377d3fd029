/** What consumers write into the subscriptions of a classic group: the topics come first in every version. */
import { DecodeError } from "../protocol/decode-error.ts";
import { Reader } from "../protocol/reader.ts";

/** The topics of a consumer's subscription; null where the bytes are another protocol's. */
export function subscribedTopics(metadata: Buffer): string[] | null {
  try {
    const reader = new Reader(metadata);
    reader.int16();
    const count = reader.int32();
    if (count < 0 || count * 2 > reader.remaining) return null;
    return Array.from({ length: count }, () => reader.utf8(reader.int16()));
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}

/** An assignment by topic; null where the bytes are another protocol's. */
export function assignedPartitions(assignment: Buffer): Map<string, number[]> | null {
  if (assignment.length === 0) return new Map();
  try {
    const reader = new Reader(assignment);
    reader.int16();
    const count = reader.int32();
    if (count < 0 || count * 6 > reader.remaining) return null;
    const topics = new Map<string, number[]>();
    for (let i = 0; i < count; i++) {
      const topic = reader.utf8(reader.int16());
      const partitions = reader.int32();
      if (partitions < 0 || partitions * 4 > reader.remaining) return null;
      topics.set(
        topic,
        Array.from({ length: partitions }, () => reader.int32()),
      );
    }
    return topics;
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
