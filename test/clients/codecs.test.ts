/** Every codec that a client writes, read by every other: one partition for each writer, in one topic for each codec. */
import { uniqueName } from "@kelvin/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, type ReadRecord, ReadRecords } from "./client.ts";
import { admin, createTopic, storedCodecs } from "./observer.ts";
import { because, CODECS, type Codec, type Entry, isSkipped, roster } from "./roster.ts";

const RECORDS = 20;
const start = Date.now() - RECORDS;
const topics = new Map(CODECS.map((codec) => [codec, uniqueName(codec)]));
const topicOf = (codec: Codec) => topics.get(codec) ?? "";
const there = roster.filter((entry) => !isSkipped(entry));
const clients = new Map<string, Client>();
const clientOf = ({ name }: Entry): Client => {
  const client = clients.get(name) ?? roster.find((entry) => entry.name === name)?.start();
  if (client === undefined) throw new RangeError(name);
  clients.set(name, client);
  return client;
};

beforeAll(async () => {
  await admin.connect();
  for (const codec of CODECS) await createTopic(topicOf(codec), roster.length);
});
afterAll(async () => {
  await Promise.all([...clients.values()].map((client) => client[Symbol.asyncDispose]()));
  await admin.disconnect();
});

/** What a writer writes: text that compresses, a key or none, once no value, a header. */
const writtenBy = (writer: Entry) =>
  Array.from({ length: RECORDS }, (_, index) => ({
    partition: roster.indexOf(writer),
    key: index === 3 ? null : `k${index}`,
    value: index === 5 ? null : `${writer.name} wrote nº ${index} °C `.repeat(10),
    headers: { writer: writer.name },
    timestamp: start + index,
  }));

const writing = new Map<string, Promise<unknown>>();
const written = (writer: Entry, codec: Codec) =>
  memo(writing, `${writer.name} ${codec}`, () =>
    clientOf(writer).call("produce", { topic: topicOf(codec), codec, records: writtenBy(writer) }),
  );

const writers = (codec: Codec) => there.filter(({ writes }) => writes.includes(codec));
const reading = new Map<string, Promise<ReadRecord[]>>();
/** All that is in a codec's topic, as one client sees it. Asked once, after everybody has written. */
const readBy = (reader: Entry, codec: Codec) =>
  memo(reading, `${reader.name} ${codec}`, async () => {
    const done = await Promise.allSettled(writers(codec).map((writer) => written(writer, codec)));
    const count = done.filter(({ status }) => status === "fulfilled").length * RECORDS;
    const isolation = "read_committed";
    const request = { topic: topicOf(codec), partitions: roster.length, isolation, count };
    return ReadRecords.parse(await clientOf(reader).call("read", request));
  });

for (const codec of CODECS) {
  describe.concurrent(`writes ${codec}`, () => {
    for (const writer of roster.filter(({ writes }) => writes.includes(codec))) {
      test.skipIf(isSkipped(writer))(`${writer.name}${because(writer.missing)}`, async () => {
        await written(writer, codec);
        const stored = await storedCodecs(topicOf(codec), roster.indexOf(writer));
        expect(new Set(stored)).toEqual(new Set([codec]));
      });
    }
  });
}

for (const reader of roster) {
  describe.concurrent(`${reader.name} reads${because(reader.missing)}`, () => {
    for (const writer of roster) {
      test.skipIf(isSkipped(reader) || isSkipped(writer))(
        `${writer.name}${because(writer.missing)}`,
        async () => {
          for (const codec of writer.writes)
            expect(await of(writer, reader, codec), codec).toEqual(expected(writer));
        },
      );
    }
  });
}

/** What a reader sees of a writer's records. */
async function of(writer: Entry, reader: Entry, codec: Codec) {
  const partition = roster.indexOf(writer);
  const found = (await readBy(reader, codec)).filter((record) => record.partition === partition);
  return found.toSorted((a, b) => a.offset - b.offset).map((record) => comparable(writer, record));
}

const expected = (writer: Entry) =>
  writtenBy(writer).map((record, offset) => comparable(writer, { ...record, offset }));

function comparable({ setsTimestamps }: Entry, { timestamp, ...rest }: ReadRecord) {
  return setsTimestamps ? { ...rest, timestamp } : rest;
}

function memo<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const made = cache.get(key) ?? make();
  cache.set(key, made);
  return made;
}
