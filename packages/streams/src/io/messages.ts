/** Our records as kafkajs wants them. */
import type { Message, TopicMessages } from "kafkajs";
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
      entry = { topic: record.topic, messages: gathering() };
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

type Groups = Record<string, Message[]>;

/**
 * kafkajs has the messages of each partition gathered by their array's `reduce`, with a copy of all those before for each
 * of them. This array has each one gathered alone, and appends.
 */
function gathering(): Message[] {
  const messages: Message[] = [];
  const reduce = (gather: (groups: Groups, message: Message) => Groups, groups: Groups): Groups => {
    for (const message of messages) {
      const alone = gather({}, message);
      for (const partition in alone) {
        const known = groups[partition];
        if (known === undefined) groups[partition] = [message];
        else known.push(message);
      }
    }
    return groups;
  };
  return Object.defineProperty(messages, "reduce", { value: reduce });
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
