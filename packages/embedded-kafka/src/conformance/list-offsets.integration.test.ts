/** ListOffsets of times that are none: each has come with a version, and is refused before, as by Apache Kafka. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
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

const NEVER = Number.POSITIVE_INFINITY;

answersAreRecorded(import.meta.url);

let client: RawClient;
let topic: CreatedTopic;
beforeAll(async () => {
  client = await connectToCluster();
  topic = await freshTopic(client);
  await append(client, topic.name, batchOf(["a", "b"], { baseTimestampMs: 1000 }));
  await append(client, topic.name, batchOf(["c", "d"], { baseTimestampMs: 500 }));
});
afterAll(() => client[Symbol.asyncDispose]());

const ask = async (version: number, ...timestamps: number[]) => {
  const { topics } = await client.send(listOffsets, version, {
    replicaId: -1,
    topics: [
      {
        name: topic.name,
        partitions: timestamps.map((timestamp) => ({ partitionIndex: 0, timestamp })),
      },
    ],
  });
  return topics[0]?.partitions;
};

const specials = [
  ["latest", -1, 1, 4],
  ["earliest", -2, 1, 0],
  ["greatest time", -3, 7, 0],
  ["earliest that is local", -4, 8, 0],
  ["latest that is tiered", -5, 9, -1],
  ["earliest that is to be tiered", -6, NEVER, -1],
  ["unknown one", -7, NEVER, -1],
] as const;

test.each(
  specials.flatMap(([what, time, since, offset]) =>
    versionsOf(listOffsets).map((version) => [what, time, version, since, offset] as const),
  ),
)("the %s (%i) in version %i", async (_what, time, version, since, offset) => {
  const expected =
    version < since
      ? { errorCode: errorCode.unsupportedVersion, offset: -1 }
      : { errorCode: errorCode.none, offset };
  expect(await ask(version, time)).toMatchObject([expected]);
});

test("a partition that is named twice is refused, once", async () => {
  expect(await ask(6, -1, -2)).toMatchObject([{ errorCode: errorCode.invalidRequest, offset: -1 }]);
});
