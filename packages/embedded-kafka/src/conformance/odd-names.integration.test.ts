/** Names, ids, types and cursors that mean nothing, or two things: answered as by Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { describeCluster } from "../protocol/messages/describe-cluster.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import { describeProducers } from "../protocol/messages/describe-producers.ts";
import { describeTopicPartitions } from "../protocol/messages/describe-topic-partitions.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { type Encodable, ZERO_UUID } from "../protocol/schema.ts";
import { connectToCluster, create, freshTopic, uniqueName } from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";

const TOPIC = 2;
const SET = 0;
const UNKNOWN_ID = "AAAAAAAAAAAAAAAAAAAAZQ";
const EVERYTHING_A_TOPIC_LETS_US_DO = 3576;
const { invalidRequest, invalidTopic, unknownTopicOrPartition } = errorCode;

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

describe.each([12, 13])("Metadata %i", (version) => {
  type Wanted = NonNullable<Encodable<typeof metadata.request>["topics"]>;
  const ask = (topics: Wanted, includeTopicAuthorizedOperations = false) =>
    client.send(metadata, version, {
      topics,
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations,
    });

  test("looks at no name where there is an id", async () => {
    const [one, other] = [await freshTopic(client), await freshTopic(client)];
    const { topics } = await ask([{ name: other.name }, { name: null, topicId: one.id }]);
    expect(topics).toMatchObject([{ errorCode: 0, name: one.name, topicId: one.id }]);
    const both = await ask([{ name: other.name, topicId: one.id }]);
    expect(both.topics).toMatchObject([{ errorCode: 0, name: one.name }]);
    const unknown = await ask([{ name: other.name, topicId: UNKNOWN_ID }]);
    expect(unknown.topics).toMatchObject([{ errorCode: errorCode.unknownTopicId, name: null }]);
  });

  test("fails where there is neither, and tells no brokers", async () => {
    const { name } = await freshTopic(client);
    const answer = await ask([{ name: null, topicId: ZERO_UUID }, { name }]);
    expect(answer.brokers).toEqual([]);
    expect(answer.topics.map((one) => one.errorCode)).toEqual([-1, -1]);
  });

  test("tells what may be done with topics that are not there", async () => {
    const { topics } = await ask([{ name: "a/b" }, { name: uniqueName("none") }], true);
    expect(topics.map((one) => [one.errorCode, one.topicAuthorizedOperations])).toEqual(
      expect.arrayContaining([
        [invalidTopic, EVERYTHING_A_TOPIC_LETS_US_DO],
        [unknownTopicOrPartition, EVERYTHING_A_TOPIC_LETS_US_DO],
      ]),
    );
  });
});

describe("DescribeTopicPartitions", () => {
  const ask = async (
    names: readonly string[],
    cursor: Encodable<typeof describeTopicPartitions.request>["cursor"] = null,
  ) => {
    const answer = await client.send(describeTopicPartitions, 0, {
      topics: names.map((name) => ({ name })),
      responsePartitionLimit: 2,
      cursor,
    });
    return answer.topics.map((topic) => [topic.errorCode, topic.partitions.length]);
  };

  test("refuses a cursor that is at none of the topics", async () => {
    const { name } = await freshTopic(client, { partitions: 3 });
    expect(await ask([name], { topicName: name, partitionIndex: 1 })).toEqual([[0, 2]]);
    expect(await ask([name], { topicName: name, partitionIndex: -1 })).toEqual([[invalidRequest, 0]]);
    expect(await ask([name], { topicName: `${name}x`, partitionIndex: 0 })).toEqual([[invalidRequest, 0]]);
    expect(await ask([name], { topicName: "a", partitionIndex: 0 })).toEqual([[invalidRequest, 0]]);
  });

  test.each([".", "a/b", "x".repeat(250)])("knows that %s is no name", async (name) => {
    expect(await ask([name])).toEqual([[invalidTopic, 0]]);
  });
});

describe("CreateTopics", () => {
  test("keeps the controllers' own topic to itself", async () => {
    expect(await create(client, { name: "__cluster_metadata" })).toMatchObject({ errorCode: invalidRequest });
  });

  test("takes no more than 10000 partitions at once", async () => {
    const answer = await create(client, { name: uniqueName("wide"), numPartitions: 10_001 }, true);
    expect(answer.errorCode).toBe(errorCode.policyViolation);
  });
});

test("DeleteRecords leaves a topic alone that is only compacted", async () => {
  const asked = async (policy: string, offset: number) => {
    const { name } = await freshTopic(client, { configs: { "cleanup.policy": policy } });
    const { topics } = await client.send(deleteRecords, 2, {
      topics: [{ name, partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: 10_000,
    });
    return topics[0]?.partitions[0]?.errorCode;
  };
  expect(await asked("compact", 0)).toBe(errorCode.policyViolation);
  expect(await asked("compact", 7)).toBe(errorCode.policyViolation);
  expect(await asked("compact,delete", 0)).toBe(errorCode.none);
});

test("settings of what can't be a topic", async () => {
  for (const resourceName of ["a/b", ".", ""]) {
    const resource = { resourceType: TOPIC, resourceName };
    const { results } = await client.send(describeConfigs, 4, {
      resources: [{ ...resource, configurationKeys: null }],
    });
    expect(results).toMatchObject([{ errorCode: invalidTopic, configs: [] }]);
    const configs = [{ name: "retention.ms", configOperation: SET, value: "5" }];
    const { responses } = await client.send(incrementalAlterConfigs, 1, {
      resources: [{ ...resource, configs }],
      validateOnly: true,
    });
    expect(responses).toMatchObject([{ errorCode: resourceName === "" ? invalidRequest : invalidTopic }]);
  }
});

test("DescribeProducers of what is not there", async () => {
  const { topics } = await client.send(describeProducers, 0, {
    topics: ["a/b", uniqueName("none")].map((name) => ({ name, partitionIndexes: [0] })),
  });
  const codes = topics.flatMap(({ partitions }) => partitions.map((one) => one.errorCode));
  expect(codes.sort()).toEqual([unknownTopicOrPartition, invalidTopic].sort());
});

test.each([
  [1, errorCode.none],
  [2, errorCode.mismatchedEndpointType],
  [3, errorCode.unsupportedEndpointType],
  [0, errorCode.unsupportedEndpointType],
  [-1, errorCode.unsupportedEndpointType],
])("DescribeCluster of endpoint type %i", async (endpointType, code) => {
  for (const version of [1, 2]) {
    const answer = await client.send(describeCluster, version, {
      includeClusterAuthorizedOperations: false,
      endpointType,
    });
    expect(answer.errorCode).toBe(code);
  }
});
