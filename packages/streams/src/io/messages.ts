/** Our records as kafkajs wants them. */
import type { TopicMessages } from "kafkajs";
import type { OutgoingRecord } from "../ports.ts";

/** About what a record takes in a request. */
export function bytesOf({ key, value, headers }: OutgoingRecord): number {
  let bytes = 32 + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0) + 2;
  return bytes;
}

/** The records of each topic, in their order. */
export function byTopic(records: Iterable<OutgoingRecord>): TopicMessages[] {
  const topics = new Map<string, TopicMessages>();
  for (const record of records) {
    let entry = topics.get(record.topic);
    if (entry === undefined) {
      entry = { topic: record.topic, messages: [] };
      topics.set(record.topic, entry);
    }
    entry.messages.push({
      key: record.key === null || typeof record.key === "string" ? record.key : asBuffer(record.key),
      value: record.value === null ? null : asBuffer(record.value),
      ...(record.partition === undefined ? {} : { partition: record.partition }),
      timestamp: String(Math.max(0, Math.trunc(record.timestampMs))),
      ...(record.headers === undefined ? {} : { headers: headersOf(record.headers) }),
    });
  }
  return [...topics.values()];
}

function headersOf(headers: NonNullable<OutgoingRecord["headers"]>): Record<string, string | Buffer> {
  const result: Record<string, string | Buffer> = {};
  for (const [name, value] of Object.entries(headers)) {
    result[name] = typeof value === "string" ? value : asBuffer(value);
  }
  return result;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
