/** Settings of brokers, read by name and changed while running: the same answers as from Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { alterConfigs } from "../protocol/messages/alter-configs.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { connectToCluster, eventually, uniqueName } from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";

answersAreRecorded(import.meta.url);

const BROKER = 4;
const [SET, UNSET, APPEND] = [0, 1, 2];
const DYNAMIC_BROKER = 2;
const UNKNOWN_TYPE = 0;

let client: RawClient;
let resource: { readonly resourceType: number; readonly resourceName: string };
beforeAll(async () => {
  client = await connectToCluster();
  const { brokers } = await client.send(metadata, 12, { topics: [] });
  resource = { resourceType: BROKER, resourceName: String(brokers[0]?.nodeId) };
});
afterAll(() => client[Symbol.asyncDispose]());

async function describeThem(configurationKeys: string[]) {
  const { results } = await client.send(describeConfigs, 4, {
    resources: [{ ...resource, configurationKeys }],
    includeSynonyms: true,
    includeDocumentation: true,
  });
  return results[0]?.configs ?? [];
}

async function alter(name: string, configOperation: number, value: string | null, validateOnly = false) {
  const { responses } = await client.send(incrementalAlterConfigs, 1, {
    resources: [{ ...resource, configs: [{ name, configOperation, value }] }],
    validateOnly,
  });
  return responses[0]?.errorCode;
}

/** What is told of a setting once that is `wanted`: Apache Kafka takes a moment, and shows steps between. */
const seen = (name: string, wanted: (value: string | null | undefined) => boolean) =>
  eventually(`a change of ${name}`, async () => {
    const configs = await describeThem([name]);
    return wanted(configs[0]?.value) ? configs : null;
  });

describe("a broker setting", () => {
  test.each([
    ["background.threads", "10", 3, false],
    ["log.flush.interval.ms", null, 5, false],
    ["message.max.bytes", "1048588", 3, false],
    ["num.network.threads", "3", 3, false],
    ["quota.window.num", "11", 3, true],
    ["producer.id.expiration.ms", "86400000", 3, false],
    ["request.timeout.ms", "30000", 3, true],
    ["socket.send.buffer.bytes", "102400", 3, true],
  ])("%s is there by name", async (name, value, configType, readOnly) => {
    expect(await describeThem([name])).toMatchObject([
      { name, value, configType, readOnly, isSensitive: false },
    ]);
  });

  test("that nobody gave a name to is not there", async () => {
    expect(await describeThem([uniqueName("none")])).toEqual([]);
  });

  test.each(["node.id", "broker.id", "log.dirs", "num.partitions", "group.max.size"])(
    "%s can't be changed while running",
    async (name) => {
      expect(await alter(name, SET, "3")).toBe(errorCode.invalidRequest);
      expect(await alter(name, SET, "3", true)).toBe(errorCode.invalidRequest);
    },
  );

  test("that Apache Kafka does not know is kept, and shown as a secret", async () => {
    const name = uniqueName("plugin");
    expect(await alter(name, SET, "1", true)).toBe(errorCode.none);
    expect(await describeThem([name])).toEqual([]);
    expect(await alter(name, SET, "1")).toBe(errorCode.none);
    const synonyms = [{ name, value: null, source: DYNAMIC_BROKER }];
    expect(await seen(name, (value) => value === null)).toMatchObject([
      { name, value: null, readOnly: true, isSensitive: true, synonyms, configType: UNKNOWN_TYPE },
    ]);
    expect(await alter(name, APPEND, "2")).toBe(errorCode.invalidConfig);
    expect(await alter(name, UNSET, null)).toBe(errorCode.none);
    expect(await seen(name, (value) => value === undefined)).toEqual([]);
  });

  test("that only topics have is one of those for a broker", async () => {
    const { responses } = await client.send(alterConfigs, 2, {
      resources: [{ ...resource, configs: [{ name: "cleanup.policy", value: "delete" }] }],
      validateOnly: true,
    });
    expect(responses).toMatchObject([{ errorCode: errorCode.none }]);
  });

  test("is changed while running, and back to its default", async () => {
    const name = "num.io.threads";
    expect(await alter(name, SET, "9")).toBe(errorCode.none);
    const isNine = (value: unknown) => value === "9";
    expect(await seen(name, isNine)).toMatchObject([{ name, configSource: DYNAMIC_BROKER }]);
    expect(await alter(name, UNSET, null)).toBe(errorCode.none);
    expect(await seen(name, (value) => !isNine(value))).toMatchObject([{ name, value: "8" }]);
  });
});
