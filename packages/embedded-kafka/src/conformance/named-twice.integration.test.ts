/** What a request names twice is left alone, and answered once: as by Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { alterConfigs } from "../protocol/messages/alter-configs.ts";
import { createPartitions } from "../protocol/messages/create-partitions.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import { listTransactions } from "../protocol/messages/list-transactions.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { connectToCluster, coordinatorReady, freshTopic, uniqueName } from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";
import { versionsOf } from "../testing/samples.ts";
import { settled, TransactionClient } from "../testing/transaction-client.ts";

const TOPIC = 2;
const SET = 0;
const timeoutMs = 10_000;
const { invalidRequest } = errorCode;

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

const partitionsOf = async (name: string) => {
  const { topics } = await client.send(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });
  return topics[0]?.partitions.length;
};

test.each(versionsOf(createPartitions))("CreatePartitions %i", async (version) => {
  const { name } = await freshTopic(client);
  const { results } = await client.send(createPartitions, version, {
    topics: [2, 3].map((count) => ({ name, count, assignments: null })),
    timeoutMs,
    validateOnly: false,
  });
  expect(results).toMatchObject([{ name, errorCode: invalidRequest }]);
  expect(await partitionsOf(name)).toBe(1);
});

describe("DeleteTopics", () => {
  test.each([1, 3, 4, 5])("%i, of a name", async (version) => {
    const { name } = await freshTopic(client);
    const { responses } = await client.send(deleteTopics, version, { topicNames: [name, name], timeoutMs });
    expect(responses).toMatchObject([{ name, errorCode: invalidRequest }]);
    expect(await partitionsOf(name)).toBe(1);
  });

  test.each([
    ["name", (name: string) => ({ name, topicId: ZERO_UUID })],
    ["id", (_name: string, topicId: string) => ({ name: null, topicId })],
  ])("6, of the same %s", async (_what, of) => {
    const { name, id } = await freshTopic(client);
    const wanted = of(name, id);
    const { responses } = await client.send(deleteTopics, 6, { topics: [wanted, wanted], timeoutMs });
    expect(responses).toMatchObject([{ ...wanted, errorCode: invalidRequest }]);
    expect(await partitionsOf(name)).toBe(1);
  });

  test("6, of one topic by its name and by its id", async () => {
    const { name, id } = await freshTopic(client);
    const topics = [
      { name, topicId: ZERO_UUID },
      { name: null, topicId: id },
    ];
    const { responses } = await client.send(deleteTopics, 6, { topics, timeoutMs });
    expect(responses).toMatchObject([{ name, topicId: id, errorCode: invalidRequest }]);
    expect(await partitionsOf(name)).toBe(1);
  });

  test("6, with name and id in one, or neither", async () => {
    const { name, id } = await freshTopic(client);
    const topics = [
      { name, topicId: id },
      { name: null, topicId: ZERO_UUID },
    ];
    const { responses } = await client.send(deleteTopics, 6, { topics, timeoutMs });
    expect(responses.map((one) => one.errorCode)).toEqual([invalidRequest, invalidRequest]);
    expect(await partitionsOf(name)).toBe(1);
  });
});

describe("settings", () => {
  const named = (resourceName: string) => ({ resourceType: TOPIC, resourceName });
  const value = { name: "retention.ms", value: "5" };

  test("of a resource are left alone where IncrementalAlterConfigs has it twice, and others' are not", async () => {
    const [twice, once] = [await freshTopic(client), await freshTopic(client)];
    const configs = [{ ...value, configOperation: SET }];
    const resources = [twice, once, twice].map(({ name }) => ({ ...named(name), configs }));
    const { responses } = await client.send(incrementalAlterConfigs, 1, { resources, validateOnly: true });
    const codes = responses.map((one) => `${one.resourceName} ${one.errorCode}`).sort();
    expect(codes).toEqual(
      [`${twice.name} ${invalidRequest}`, `${twice.name} ${invalidRequest}`, `${once.name} 0`].sort(),
    );
  });

  test.each([
    ["twice", [value, { ...value, value: "6" }]],
    ["with no value", [{ ...value, value: null }]],
  ])("are not set where AlterConfigs has one %s", async (_what, configs) => {
    const { name } = await freshTopic(client);
    const { responses } = await client.send(alterConfigs, 2, {
      resources: [{ ...named(name), configs }],
      validateOnly: false,
    });
    expect(responses).toMatchObject([{ errorCode: invalidRequest }]);
  });
});

test("DeleteGroups, of a group that is not there", async () => {
  const groupId = uniqueName("group");
  await coordinatorReady(client, groupId);
  const code = await settled(async () => {
    const { results } = await client.send(deleteGroups, 2, { groupsNames: [groupId, groupId] });
    expect(results).toHaveLength(1);
    return results[0]?.errorCode ?? -1;
  });
  expect(code).toBe(errorCode.groupIdNotFound);
});

test("AddPartitionsToTxn, of a partition; and of one that is nobody's to write to", async () => {
  const { name } = await freshTopic(client);
  await using producer = await TransactionClient.started();
  expect(await settled(async () => (await producer.addOnce(name, [0, 0]))[0] ?? -1)).toBe(errorCode.none);
  expect(await producer.addOnce(name, [0, 0, 7])).toEqual([
    errorCode.operationNotAttempted,
    errorCode.unknownTopicOrPartition,
  ]);
  expect(await producer.addOnce("__transaction_state", [0])).toEqual([errorCode.topicAuthorizationFailed]);
  expect(await producer.end(false)).toBe(errorCode.none);
});

test("ListTransactions, of a state that is none", async () => {
  const { unknownStateFilters } = await client.send(listTransactions, 0, {
    stateFilters: ["Running", "Running"],
    producerIdFilters: [],
  });
  expect(unknownStateFilters).toEqual(["Running"]);
});
