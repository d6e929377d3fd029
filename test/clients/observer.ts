/** The tests' own eyes and hands: kafkajs for what every cluster answers, and a bare Fetch for what a batch says of itself. */
import { once } from "node:events";
import { connect } from "node:net";
import { createTopics } from "@kelvin/test-kit";
import kafkajs from "kafkajs";
import { ClientError } from "./client.ts";
import { brokers, CODECS, type Codec } from "./roster.ts";

const kafka = new kafkajs.Kafka({
  brokers: brokers.split(","),
  clientId: "observer",
  logLevel: kafkajs.logLevel.NOTHING,
});
export const admin = kafka.admin();

export async function createTopic(topic: string, partitions = 1): Promise<void> {
  await createTopics(admin, [{ topic, numPartitions: partitions, replicationFactor: 1 }]);
}

export interface Written {
  readonly partition?: number;
  readonly value: string;
  readonly timestamp?: number;
}

export async function write(topic: string, messages: readonly Written[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({
    topic,
    messages: messages.map(({ timestamp = Date.now(), ...rest }) => ({
      ...rest,
      timestamp: String(timestamp),
    })),
  });
  await producer.disconnect();
}

/** What a group has committed, summed up over a topic's partitions. */
export async function committed(groupId: string, topic: string): Promise<number> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

export async function group(groupId: string) {
  const { groups } = await admin.describeGroups([groupId]);
  return groups[0];
}

/** The codecs of the batches of a partition, as they lie on the broker. */
export async function storedCodecs(topic: string, partition: number): Promise<Codec[]> {
  const records = await fetchBytes(topic, partition);
  const codecs: Codec[] = [];
  for (let at = 0; at + 23 <= records.length; at += 12 + records.readInt32BE(at + 8)) {
    codecs.push(CODECS[records.readInt16BE(at + 21) & 7] ?? "none");
  }
  return codecs;
}

/** Fetch, version 4: https://kafka.apache.org/protocol#The_Messages_Fetch */
async function fetchBytes(topic: string, partition: number): Promise<Buffer> {
  const name = Buffer.from(topic);
  const head = Buffer.from(
    "0001000400000001ffff" + "ffffffff" + "00000064" + "00000001" + "00100000" + "00",
    "hex",
  );
  const ofTopic = Buffer.alloc(4 + 2 + name.length + 4 + 16);
  ofTopic.writeInt32BE(1, 0);
  ofTopic.writeInt16BE(name.length, 4);
  name.copy(ofTopic, 6);
  ofTopic.writeInt32BE(1, 6 + name.length);
  ofTopic.writeInt32BE(partition, 10 + name.length);
  ofTopic.writeInt32BE(0x100000, 22 + name.length);
  const answer = await exchange(Buffer.concat([head, ofTopic]));
  // Correlation id, throttle time, topics, name, partitions, index.
  let at = 4 + 4 + 4 + 2 + name.length + 4 + 4;
  const error = answer.readInt16BE(at);
  if (error !== 0) throw new ClientError(`Fetch of ${topic} ${partition}: error ${error}`);
  at += 2 + 8 + 8;
  at += 4 + 16 * Math.max(0, answer.readInt32BE(at));
  return answer.subarray(at + 4, at + 4 + Math.max(0, answer.readInt32BE(at)));
}

/** One request on a connection of its own; the answer without its length. */
async function exchange(request: Buffer): Promise<Buffer> {
  const [first = ""] = brokers.split(",");
  const at = first.lastIndexOf(":");
  const socket = connect({ host: first.slice(0, at), port: Number(first.slice(at + 1)) });
  await once(socket, "connect");
  const length = Buffer.alloc(4);
  length.writeInt32BE(request.length);
  socket.write(Buffer.concat([length, request]));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(Buffer.from(chunk));
    const all = Buffer.concat(chunks);
    if (all.length >= 4 && all.length >= 4 + all.readInt32BE(0)) {
      socket.destroy();
      return all.subarray(4);
    }
  }
  throw new ClientError("the broker ended the connection");
}
