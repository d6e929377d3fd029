/** Batches that are whole and yet none that a producer may send: refused as by Apache Kafka. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { produce } from "../protocol/messages/produce.ts";
import {
  append,
  batchOf,
  type CreatedTopic,
  connectToCluster,
  freshTopic,
} from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";
import { versionsOf } from "../testing/samples.ts";

const GZIP = 1;

answersAreRecorded(import.meta.url);

let client: RawClient;
let topic: CreatedTopic;
beforeAll(async () => {
  client = await connectToCluster();
  topic = await freshTopic(client);
});
afterAll(() => client[Symbol.asyncDispose]());

test.each([
  ["offsets from 1 on", { baseOffset: 1 }],
  ["offsets from -1 on", { baseOffset: -1 }],
  ["compressed records with offsets from 1 on", { baseOffset: 1, attributes: GZIP, compress: gzipSync }],
  ["a producer and no sequence", { producerId: 3, producerEpoch: 0, baseSequence: -1 }],
  ["a producer and nothing else", { producerId: 3 }],
])("one with %s", async (_what, change) => {
  for (const version of versionsOf(produce)) {
    expect(await append(client, topic.name, batchOf(["a"], change), { version })).toMatchObject({
      errorCode: errorCode.invalidRecord,
      baseOffset: -1,
    });
  }
});

test.each([
  [0, errorCode.invalidRecord],
  [1, errorCode.invalidRecord],
  [3, errorCode.corruptMessage],
  [-1, errorCode.corruptMessage],
])("one that says it is of format %i", async (format, code) => {
  const batch = batchOf(["a"]);
  batch.writeInt8(format, 16);
  for (const version of versionsOf(produce)) {
    expect(await append(client, topic.name, batch, { version })).toMatchObject({ errorCode: code });
  }
});

test.each([5, 6, 7])("one of codec %i, which is none", async (codec) => {
  const batch = batchOf(["a"], { attributes: codec, compress: (records) => records });
  expect(await append(client, topic.name, batch)).toMatchObject({ errorCode: -1, logStartOffset: 0 });
});

test("a sequence without a producer says nothing", async () => {
  const answer = await append(client, topic.name, batchOf(["a"], { baseSequence: 3 }));
  expect(answer.errorCode).toBe(errorCode.none);
});
