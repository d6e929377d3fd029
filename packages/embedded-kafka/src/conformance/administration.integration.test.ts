/** What administrators' tools ask besides topics and settings: the same answers as from Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { alterPartitionReassignments } from "../protocol/messages/alter-partition-reassignments.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import { describeLogDirs } from "../protocol/messages/describe-log-dirs.ts";
import { describeTopicPartitions } from "../protocol/messages/describe-topic-partitions.ts";
import { electLeaders } from "../protocol/messages/elect-leaders.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { listPartitionReassignments } from "../protocol/messages/list-partition-reassignments.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import {
  append,
  batchOf,
  connectToCluster,
  eventually,
  fetchOne,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";

const GROUP = 0;
const TRANSACTION = 1;
const TOPIC = 2;
const TOPICS_OWN = 1;
const NO_BROKER = 4711;
const timeoutMs = 10_000;

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

async function brokerId(): Promise<number> {
  const { brokers } = await client.send(metadata, 12, { topics: [] });
  return brokers[0]?.nodeId ?? -1;
}

describe.each([
  ["__consumer_offsets", GROUP, { "cleanup.policy": "compact", "compression.type": "producer" }],
  ["__transaction_state", TRANSACTION, { "cleanup.policy": "compact", "compression.type": "uncompressed" }],
] as const)("%s", (name, keyType, configs) => {
  beforeAll(async () => {
    await eventually(`a coordinator, and so ${name}`, async () => {
      const { coordinators } = await client.send(findCoordinator, 4, {
        keyType,
        coordinatorKeys: [uniqueName("key")],
      });
      return coordinators[0]?.errorCode === errorCode.none ? true : null;
    });
  });

  test("is there, internal, with its partitions and settings, once a coordinator was asked for", async () => {
    const known = { name, errorCode: errorCode.none, isInternal: true };
    const { topics } = await client.send(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });
    expect(topics).toMatchObject([known]);
    expect(topics[0]?.partitions).toHaveLength(50);
    const all = await client.send(metadata, 12, { topics: null });
    expect(all.topics.find((topic) => topic.name === name)).toMatchObject(known);
    const described = await client.send(describeTopicPartitions, 0, { topics: [{ name }] });
    expect(described.topics).toMatchObject([known]);
    const { results } = await client.send(describeConfigs, 4, {
      resources: [{ resourceType: TOPIC, resourceName: name, configurationKeys: Object.keys(configs) }],
    });
    expect(Object.fromEntries(results[0]?.configs.map((one) => [one.name, one.value]) ?? [])).toEqual(
      configs,
    );
    expect(new Set(results[0]?.configs.map((one) => one.configSource))).toEqual(new Set([TOPICS_OWN]));
  });

  test("takes no records from clients, and gives none away", async () => {
    expect(await append(client, name, batchOf(["x"]))).toMatchObject({
      errorCode: errorCode.invalidTopic,
      baseOffset: -1,
    });
    const { topics } = await client.send(deleteRecords, 2, {
      topics: [{ name, partitions: [{ partitionIndex: 0, offset: 0 }] }],
      timeoutMs,
    });
    expect(topics[0]?.partitions).toMatchObject([{ errorCode: errorCode.invalidTopic, lowWatermark: -1 }]);
    // A coordinator for one key is one partition; the first may come to lead a moment later.
    const fetched = await eventually("its first partition to lead", async () => {
      const answer = await fetchOne(client, name, 0);
      return answer?.errorCode === errorCode.none ? answer : null;
    });
    expect(fetched).toMatchObject({ logStartOffset: 0 });
  });
});

describe("DescribeLogDirs", () => {
  test("tells sizes of what is asked for and there, and leaves out the rest", async () => {
    const { name } = await freshTopic(client, { partitions: 2 });
    const batch = batchOf(["twenty", "bytes", "or so"]);
    expect(await append(client, name, batch, { partition: 1 })).toMatchObject({ errorCode: 0 });
    const { results } = await client.send(describeLogDirs, 4, {
      topics: [
        { topic: name, partitions: [1, 7] },
        { topic: uniqueName("none"), partitions: [0] },
      ],
    });
    const held = { offsetLag: 0, isFutureKey: false };
    expect(results).toMatchObject([
      {
        errorCode: 0,
        topics: [{ name, partitions: [{ partitionIndex: 1, partitionSize: batch.length, ...held }] }],
      },
    ]);
    const all = await client.send(describeLogDirs, 1, { topics: null });
    const found = all.results[0]?.topics.find((topic) => topic.name === name);
    expect(found?.partitions.map((one) => one.partitionSize).sort()).toEqual([0, batch.length]);
    const none = await client.send(describeLogDirs, 2, { topics: [] });
    expect(none.results.map(({ topics }) => topics)).toEqual([[]]);
  });
});

describe("AlterPartitionReassignments", () => {
  const altered = async (topic: string, partitionIndex: number, replicas: number[] | null) => {
    const { errorCode: code, responses } = await client.send(alterPartitionReassignments, 0, {
      timeoutMs,
      topics: [{ name: topic, partitions: [{ partitionIndex, replicas }] }],
    });
    expect(code).toBe(errorCode.none);
    expect(responses).toMatchObject([{ name: topic, partitions: [{ partitionIndex }] }]);
    return responses[0]?.partitions[0];
  };

  test("refuses brokers that are not there, and partitions that are not", async () => {
    const { name } = await freshTopic(client);
    const here = await brokerId();
    const missing = uniqueName("none");
    expect(await altered(missing, 0, [here])).toMatchObject({
      errorCode: errorCode.unknownTopicOrPartition,
      errorMessage: `Unable to find a topic named ${missing}.`,
    });
    expect(await altered(name, 7, [here])).toMatchObject({ errorCode: errorCode.unknownTopicOrPartition });
    for (const [replicas, errorMessage] of [
      [
        [NO_BROKER, here],
        `The manual partition assignment includes broker ${NO_BROKER}, but no such broker is registered.`,
      ],
      [[here, here], `The manual partition assignment includes the broker ${here} more than once.`],
      [[], "The manual partition assignment includes an empty replica list."],
    ] as const) {
      expect(await altered(name, 0, [...replicas])).toMatchObject({
        errorCode: errorCode.invalidReplicaAssignment,
        errorMessage,
      });
    }
    expect(await altered(name, 0, null)).toMatchObject({ errorCode: errorCode.noReassignmentInProgress });
  });

  test("takes the brokers that there are, and has nothing under way then", async () => {
    const { name } = await freshTopic(client);
    expect(await altered(name, 0, [await brokerId()])).toMatchObject({ errorCode: 0, errorMessage: null });
    for (const topics of [null, [{ name, partitionIndexes: [0] }]]) {
      const listed = await client.send(listPartitionReassignments, 0, { timeoutMs, topics });
      expect(listed).toMatchObject({ errorCode: 0, topics: [] });
    }
  });
});

describe("ElectLeaders", () => {
  test.each([0, 1])("of type %i has nothing to do where the only broker leads", async (electionType) => {
    const { name } = await freshTopic(client);
    const { errorCode: code, replicaElectionResults } = await client.send(electLeaders, 2, {
      electionType,
      topicPartitions: [{ topic: name, partitions: [0, 9] }],
      timeoutMs,
    });
    expect(code).toBe(errorCode.none);
    const results = replicaElectionResults[0]?.partitionResult;
    expect(results?.map((one) => [one.partitionId, one.errorCode]).sort()).toEqual([
      [0, errorCode.electionNotNeeded],
      [9, errorCode.unknownTopicOrPartition],
    ]);
  });

  test("of an unknown type is refused", async () => {
    const { name } = await freshTopic(client);
    const answer = await client.send(electLeaders, 1, {
      electionType: 2,
      topicPartitions: [{ topic: name, partitions: [0] }],
      timeoutMs,
    });
    expect(answer).toMatchObject({
      errorCode: errorCode.invalidRequest,
      replicaElectionResults: [{ topic: name, partitionResult: [{ errorCode: errorCode.invalidRequest }] }],
    });
  });
});
