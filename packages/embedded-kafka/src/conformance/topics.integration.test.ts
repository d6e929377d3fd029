/** Topics and settings: the same answers from this broker as from Apache Kafka. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { alterConfigs } from "../protocol/messages/alter-configs.ts";
import { createPartitions } from "../protocol/messages/create-partitions.ts";
import { createTopics } from "../protocol/messages/create-topics.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { describeCluster } from "../protocol/messages/describe-cluster.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import { describeTopicPartitions } from "../protocol/messages/describe-topic-partitions.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import type { Encodable } from "../protocol/schema.ts";
import {
  connectToCluster,
  create,
  eventually,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";

/** What Apache Kafka 4.3.1 shows of a topic without settings of its own. */
const kafkaTopicConfigs: Record<string, { readonly value: string }> = JSON.parse(
  readFileSync(new URL("../../golden/topic-configs.json", import.meta.url), "utf8"),
);
const DEFAULT = 5;
const TOPIC = 2;
const BROKER = 4;
const UNKNOWN_ID = "AAAAAAAAAAAAAAAAAAAAZQ";

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

describe("CreateTopics", () => {
  test("tells the new topic's id, shape and settings", async () => {
    const name = uniqueName("made");
    const answer = await create(client, {
      name,
      numPartitions: 3,
      configs: [{ name: "retention.ms", value: "12345" }],
    });
    expect(answer).toMatchObject({
      name,
      errorCode: 0,
      errorMessage: null,
      numPartitions: 3,
      replicationFactor: 1,
    });
    expect(answer.topicId).not.toBe("AAAAAAAAAAAAAAAAAAAAAA");
    const config = answer.configs?.find((one) => one.name === "retention.ms");
    expect(config).toEqual({
      name: "retention.ms",
      value: "12345",
      readOnly: false,
      configSource: 1,
      isSensitive: false,
    });
    const other = answer.configs?.find((one) => one.name === "cleanup.policy");
    expect(other).toMatchObject({ value: "delete", configSource: 5 });
  });

  test.each([
    ["an empty name", { name: "" }, errorCode.invalidTopic],
    ["a name of one dot", { name: "." }, errorCode.invalidTopic],
    ["a name with a slash", { name: "a/b" }, errorCode.invalidTopic],
    ["a name of 250 letters", { name: "x".repeat(250) }, errorCode.invalidTopic],
    ["no partitions", { numPartitions: 0 }, errorCode.invalidPartitions],
    ["fewer than no partitions", { numPartitions: -2 }, errorCode.invalidPartitions],
    ["more copies than brokers", { replicationFactor: 3 }, errorCode.invalidReplicationFactor],
    ["no copies", { replicationFactor: 0 }, errorCode.invalidReplicationFactor],
    ["an unknown setting", { configs: [{ name: "no.such.thing", value: "1" }] }, errorCode.invalidConfig],
    [
      "a setting that is no number",
      { configs: [{ name: "retention.ms", value: "soon" }] },
      errorCode.invalidConfig,
    ],
    [
      "a setting out of range",
      { configs: [{ name: "segment.bytes", value: "10" }] },
      errorCode.invalidConfig,
    ],
    ["an unknown policy", { configs: [{ name: "cleanup.policy", value: "keep" }] }, errorCode.invalidConfig],
    ["a setting of null", { configs: [{ name: "retention.ms", value: null }] }, errorCode.invalidConfig],
    [
      "brokers that do not exist",
      { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [4711] }] },
      errorCode.invalidReplicaAssignment,
    ],
    [
      "an assignment with a gap",
      { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
      errorCode.invalidReplicaAssignment,
    ],
    [
      "an assignment and a count",
      { numPartitions: 1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      errorCode.invalidRequest,
    ],
  ])("refuses %s", async (_what, topic, code) => {
    const answer = await create(client, { name: uniqueName("bad"), ...topic });
    expect(answer.errorCode).toBe(code);
    expect(answer.errorMessage).toBeTypeOf("string");
    expect(answer.numPartitions).toBe(-1);
  });

  test("refuses a name that exists, or differs from one that exists in a dot only", async () => {
    const { name } = await freshTopic(client, { name: uniqueName("a.b_c") });
    expect((await create(client, { name })).errorCode).toBe(errorCode.topicAlreadyExists);
    expect((await create(client, { name: name.replace(".", "_") })).errorCode).toBe(errorCode.invalidTopic);
  });

  test("refuses both of two topics of one name", async () => {
    const topic = {
      name: uniqueName("twice"),
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    };
    const { topics } = await client.send(createTopics, 7, { topics: [topic, topic] });
    expect(topics.map((one) => one.errorCode)).toEqual([errorCode.invalidRequest]);
  });

  test("only checks where it is told to", async () => {
    const name = uniqueName("checked");
    expect(await create(client, { name, numPartitions: 5 }, true)).toMatchObject({
      errorCode: 0,
      numPartitions: 5,
    });
    const { topics } = await client.send(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });
    expect(topics[0]).toMatchObject({ errorCode: errorCode.unknownTopicOrPartition, partitions: [] });
  });
});

describe("DeleteTopics", () => {
  test("refuses unknown names and ids, and a topic made again gets another id", async () => {
    const { name, id } = await freshTopic(client);
    const unknown = await client.send(deleteTopics, 6, {
      topics: [
        { name: uniqueName("gone"), topicId: "AAAAAAAAAAAAAAAAAAAAAA" },
        { name: null, topicId: UNKNOWN_ID },
      ],
      timeoutMs: 10_000,
    });
    const codes = new Set(unknown.responses.map((one) => one.errorCode));
    expect(codes).toEqual(new Set([errorCode.unknownTopicOrPartition, errorCode.unknownTopicId]));
    const deleted = await client.send(deleteTopics, 6, {
      topics: [{ name: null, topicId: id }],
      timeoutMs: 10_000,
    });
    expect(deleted.responses).toMatchObject([{ name, topicId: id, errorCode: 0 }]);
    expect((await freshTopic(client, { name })).id).not.toBe(id);
    const byName = await client.send(deleteTopics, 1, { topicNames: [name], timeoutMs: 10_000 });
    expect(byName.responses).toMatchObject([{ name, errorCode: 0 }]);
  });
});

describe("CreatePartitions", () => {
  test("adds partitions and never takes any away", async () => {
    const { name } = await freshTopic(client, { partitions: 2 });
    const grow = async (count: number, validateOnly = false) => {
      const { results } = await client.send(createPartitions, 3, {
        topics: [{ name, count, assignments: null }],
        timeoutMs: 10_000,
        validateOnly,
      });
      return results[0]?.errorCode;
    };
    expect(await grow(1)).toBe(errorCode.invalidPartitions);
    expect(await grow(2)).toBe(errorCode.invalidPartitions);
    expect(await grow(4, true)).toBe(errorCode.none);
    expect(await grow(3)).toBe(errorCode.none);
    await eventually("three partitions", async () => {
      const { topics } = await client.send(metadata, 5, { topics: [{ name }] });
      return topics[0]?.partitions.length === 3 ? true : null;
    });
  });

  test("refuses an unknown topic, and assignments of the wrong number", async () => {
    const { name } = await freshTopic(client);
    const { results } = await client.send(createPartitions, 3, {
      topics: [
        { name: uniqueName("none"), count: 2, assignments: null },
        { name, count: 3, assignments: [{ brokerIds: [1] }] },
      ],
      timeoutMs: 10_000,
      validateOnly: false,
    });
    const codes = new Map(results.map((one) => [one.name, one.errorCode]));
    expect([...codes.values()].sort()).toEqual([
      errorCode.unknownTopicOrPartition,
      errorCode.invalidReplicaAssignment,
    ]);
  });
});

describe("Metadata", () => {
  test("knows topics by id and by name, in old versions and new", async () => {
    const { name, id } = await freshTopic(client, { partitions: 2 });
    const byId = await client.send(metadata, 12, { topics: [{ name: null, topicId: id }] });
    expect(byId.topics).toMatchObject([{ errorCode: 0, name, topicId: id, isInternal: false }]);
    const old = await client.send(metadata, 1, { topics: [{ name }] });
    expect(old.topics[0]?.partitions.map((one) => one.partitionIndex).sort()).toEqual([0, 1]);
    expect(old.brokers).toHaveLength(1);
    expect(old.controllerId).toBe(old.brokers[0]?.nodeId);
  });

  test("gives all topics for null, none for an empty list, and all in version 0 for an empty list", async () => {
    const { name } = await freshTopic(client);
    const names = async (version: number, topics: [] | null) =>
      (await client.send(metadata, version, { topics })).topics.map((topic) => topic.name);
    expect(await names(6, null)).toContain(name);
    expect(await names(6, [])).toEqual([]);
    const { topics } = await client.send(metadata, 8, { topics: [{ name }, { name }] });
    expect(topics).toHaveLength(1);
    expect(await names(0, [])).toContain(name);
  });

  test("tells what is missing", async () => {
    const { topics } = await client.send(metadata, 12, {
      topics: [{ name: null, topicId: UNKNOWN_ID }],
      allowAutoTopicCreation: false,
    });
    expect(topics).toMatchObject([{ errorCode: errorCode.unknownTopicId, name: null, topicId: UNKNOWN_ID }]);
    const bad = await client.send(metadata, 5, { topics: [{ name: "a/b" }], allowAutoTopicCreation: true });
    expect(bad.topics[0]?.errorCode).toBe(errorCode.invalidTopic);
  });

  test.each([10, 11])("knows no ids in version %i, though it has a place for them", async (version) => {
    const byId = await client.send(metadata, version, { topics: [{ name: null, topicId: UNKNOWN_ID }] });
    expect(byId).toMatchObject({ brokers: [], controllerId: -1, topics: [{ errorCode: 42, name: "" }] });
    const both = await client.send(metadata, version, {
      topics: [{ name: "a", topicId: UNKNOWN_ID }, { name: "b" }],
    });
    expect(both.topics.map((one) => one.errorCode)).toEqual([42, 42]);
  });

  test("makes a topic that is asked for", async () => {
    const name = uniqueName("asked");
    await eventually("the topic", async () => {
      const { topics } = await client.send(metadata, 4, { topics: [{ name }], allowAutoTopicCreation: true });
      return topics[0]?.errorCode === errorCode.none ? true : null;
    });
  });
});

describe("settings", () => {
  const resource = (name: string) => ({ resourceType: TOPIC, resourceName: name });
  const described = async (name: string, keys: string[]) => {
    const { results } = await client.send(describeConfigs, 4, {
      resources: [{ ...resource(name), configurationKeys: keys }],
      includeSynonyms: true,
    });
    return results[0]?.configs.map(({ name: config, value, configSource }) => [config, value, configSource]);
  };
  const altered = async (name: string, configs: [string, number, string | null][], validateOnly = false) => {
    const { responses } = await client.send(incrementalAlterConfigs, 1, {
      resources: [
        {
          ...resource(name),
          configs: configs.map(([config, configOperation, value]) => ({
            name: config,
            configOperation,
            value,
          })),
        },
      ],
      validateOnly,
    });
    return responses[0]?.errorCode;
  };

  test("are set, appended to, taken from and unset one by one", async () => {
    const { name } = await freshTopic(client, { configs: { "retention.ms": "1000" } });
    expect(await altered(name, [["retention.bytes", 0, "5000"]])).toBe(0);
    expect(await altered(name, [["cleanup.policy", 2, "compact"]])).toBe(0);
    const keys = ["retention.bytes", "cleanup.policy", "retention.ms"];
    const sorted = async () => (await described(name, keys))?.sort();
    await eventually("the change", async () => {
      const found = await sorted();
      return JSON.stringify(found).includes("delete,compact") ? true : null;
    });
    expect(await sorted()).toEqual([
      ["cleanup.policy", "delete,compact", 1],
      ["retention.bytes", "5000", 1],
      ["retention.ms", "1000", 1],
    ]);
    expect(
      await altered(name, [
        ["cleanup.policy", 3, "delete"],
        ["retention.ms", 1, null],
      ]),
    ).toBe(0);
    await eventually("the change", async () => {
      const found = await sorted();
      return JSON.stringify(found).includes('"compact"') ? true : null;
    });
    expect((await sorted())?.at(0)).toEqual(["cleanup.policy", "compact", 1]);
    expect((await sorted())?.at(2)).toEqual(["retention.ms", "604800000", 5]);
  });

  test.each([
    ["a value that is no number", [["retention.ms", 0, "soon"]], errorCode.invalidConfig],
    ["an unknown setting", [["no.such", 0, "1"]], errorCode.invalidConfig],
    ["appending to what is no list", [["retention.ms", 2, "1"]], errorCode.invalidConfig],
    [
      "one setting twice",
      [
        ["retention.ms", 0, "1"],
        ["retention.ms", 0, "2"],
      ],
      errorCode.invalidRequest,
    ],
    ["null for a value", [["retention.ms", 0, null]], errorCode.invalidRequest],
  ] satisfies [string, [string, number, string | null][], number][])(
    "refuse %s",
    async (_what, configs, code) => {
      const { name } = await freshTopic(client);
      expect(await altered(name, configs)).toBe(code);
    },
  );

  test("are only checked where that is asked", async () => {
    const { name } = await freshTopic(client);
    expect(await altered(name, [["retention.ms", 0, "777"]], true)).toBe(0);
    expect(await described(name, ["retention.ms"])).toEqual([["retention.ms", "604800000", 5]]);
  });

  test("that AlterConfigs does not name go back to their defaults", async () => {
    const { name } = await freshTopic(client, { configs: { "retention.ms": "1000", "segment.ms": "2000" } });
    const { responses } = await client.send(alterConfigs, 2, {
      resources: [{ ...resource(name), configs: [{ name: "segment.ms", value: "3000" }] }],
      validateOnly: false,
    });
    expect(responses[0]?.errorCode).toBe(0);
    await eventually("the change", async () => {
      const found = await described(name, ["retention.ms"]);
      return found?.[0]?.[1] === "604800000" ? true : null;
    });
    expect(await described(name, ["segment.ms"])).toEqual([["segment.ms", "3000", 1]]);
  });

  test("of a topic are those that Kafka has, with their types, defaults and synonyms", async () => {
    const { name } = await freshTopic(client);
    const { results } = await client.send(describeConfigs, 4, {
      resources: [{ ...resource(name), configurationKeys: null }],
      includeSynonyms: true,
    });
    const shown = Object.fromEntries(
      (results[0]?.configs ?? [])
        .filter(({ name: config }) => config !== "min.insync.replicas")
        .map(({ name: config, value, configType, configSource, synonyms }) => [
          config,
          {
            // Whoever runs the broker may have set another default.
            value: configSource === DEFAULT ? value : kafkaTopicConfigs[config]?.value,
            configType,
            synonyms: synonyms.filter(({ source }) => source === DEFAULT),
          },
        ]),
    );
    expect(shown).toEqual(kafkaTopicConfigs);
  });

  test("of a topic come in Apache Kafka's order, however they are asked for", async () => {
    const { name } = await freshTopic(client);
    const keys = ["retention.ms", "cleanup.policy", "segment.ms", "compression.type"];
    const { results } = await client.send(describeConfigs, 1, {
      resources: [{ ...resource(name), configurationKeys: keys }],
    });
    expect(results).toMatchObject([{ errorCode: 0, errorMessage: "" }]);
    expect(results[0]?.configs.map((one) => one.name)).toEqual([
      "compression.type",
      "cleanup.policy",
      "retention.ms",
      "segment.ms",
    ]);
  });

  test.each([
    ["is not to be changed while running", "num.partitions", "3", errorCode.invalidRequest],
    ["is no number", "log.retention.bytes", "x", errorCode.invalidRequest],
    ["is fine", "log.retention.bytes", "100000000", errorCode.none],
  ])("of brokers: one that %s", async (_what, name, value, code) => {
    const { responses } = await client.send(incrementalAlterConfigs, 1, {
      resources: [{ resourceType: BROKER, resourceName: "", configs: [{ name, configOperation: 0, value }] }],
      validateOnly: true,
    });
    expect(responses[0]?.errorCode).toBe(code);
  });

  test.each([
    ["a topic", TOPIC, uniqueName("none"), errorCode.unknownTopicOrPartition],
    ["a broker", BROKER, "4711", errorCode.invalidRequest],
    ["a kind of thing", 77, "x", errorCode.invalidRequest],
  ])("of %s that does not exist are an error", async (_what, resourceType, resourceName, code) => {
    const { results } = await client.send(describeConfigs, 4, {
      resources: [{ resourceType, resourceName, configurationKeys: null }],
    });
    expect(results).toMatchObject([{ errorCode: code, configs: [] }]);
  });
});

describe("the Java client's own questions", () => {
  test("DescribeCluster lists the brokers", async () => {
    const answer = await client.send(describeCluster, 2, { includeClusterAuthorizedOperations: true });
    expect(answer).toMatchObject({
      errorCode: 0,
      endpointType: 1,
      brokers: [{ rack: null, isFenced: false }],
    });
    expect(answer.clusterAuthorizedOperations).toBe(8096);
    const controllers = await client.send(describeCluster, 2, {
      includeClusterAuthorizedOperations: false,
      endpointType: 2,
    });
    expect(controllers.errorCode).toBe(errorCode.mismatchedEndpointType);
  });

  test("DescribeTopicPartitions goes on where it stopped", async () => {
    const first = await freshTopic(client, { name: uniqueName("page-a"), partitions: 3 });
    const second = await freshTopic(client, { name: uniqueName("page-b"), partitions: 2 });
    const missing = uniqueName("page-c");
    const topics = [first.name, second.name, missing].map((name) => ({ name }));
    const seen: string[] = [];
    const page = async (
      cursor: Encodable<typeof describeTopicPartitions.request>["cursor"] = null,
    ): Promise<void> => {
      const answer = await client.send(describeTopicPartitions, 0, {
        topics,
        responsePartitionLimit: 2,
        cursor,
      });
      for (const { name, errorCode: code, partitions } of answer.topics) {
        seen.push(...partitions.map((one) => `${name} ${one.partitionIndex}`));
        if (code !== 0) seen.push(`${name} error ${code}`);
      }
      if (answer.nextCursor !== null) await page(answer.nextCursor);
    };
    await page();
    expect(new Set(seen)).toEqual(
      new Set([
        ...[0, 1, 2].map((index) => `${first.name} ${index}`),
        ...[0, 1].map((index) => `${second.name} ${index}`),
        `${missing} error ${errorCode.unknownTopicOrPartition}`,
      ]),
    );
  });
});
