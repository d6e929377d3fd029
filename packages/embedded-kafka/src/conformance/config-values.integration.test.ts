/** Values of topics' settings, as Apache Kafka reads them: what is legal, and how it is shown. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import {
  type CreatedTopic,
  connectToCluster,
  create,
  eventually,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";

const TOPIC = 2;
const BROKER = 4;
const SET = 0;

answersAreRecorded(import.meta.url);

let client: RawClient;
let topic: CreatedTopic;
beforeAll(async () => {
  client = await connectToCluster();
  topic = await freshTopic(client);
});
afterAll(() => client[Symbol.asyncDispose]());

const check = async (configs: Readonly<Record<string, string>>) => {
  const { responses } = await client.send(incrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: TOPIC,
        resourceName: topic.name,
        configs: Object.entries(configs).map(([name, value]) => ({ name, configOperation: SET, value })),
      },
    ],
    validateOnly: true,
  });
  return responses[0]?.errorCode;
};

test.each([
  ["retention.ms", "+5"],
  ["retention.ms", " 5 "],
  ["retention.bytes", "-5"],
  ["preallocate", "TRUE"],
  ["cleanup.policy", ""],
  ["cleanup.policy", " compact , delete "],
  ["message.timestamp.type", " LogAppendTime"],
  ["min.cleanable.dirty.ratio", "1e-1"],
  ["min.cleanable.dirty.ratio", ".3"],
  ["compression.gzip.level", "-1"],
  ["min.insync.replicas", "5"],
  ["leader.replication.throttled.replicas", "*"],
  ["leader.replication.throttled.replicas", ""],
  ["follower.replication.throttled.replicas", " 0:1 , 2:3 "],
])("%s may be '%s'", async (name, value) => {
  expect(await check({ [name]: value })).toBe(errorCode.none);
});

test.each([
  ["retention.ms", ""],
  ["retention.ms", "5L"],
  ["retention.ms", "5.0"],
  ["retention.ms", "99999999999999999999"],
  ["segment.bytes", "9999999999"],
  ["segment.bytes", "1048575"],
  ["preallocate", "yes"],
  ["compression.type", "GZIP"],
  ["compression.gzip.level", "0"],
  ["compression.gzip.level", "10"],
  ["cleanup.policy", "Delete"],
  ["message.timestamp.type", ""],
  ["message.timestamp.before.max.ms", "-1"],
  ["min.cleanable.dirty.ratio", "0x1"],
  ["min.cleanable.dirty.ratio", "half"],
  ["leader.replication.throttled.replicas", "none"],
  ["leader.replication.throttled.replicas", "*,0:1"],
  ["follower.replication.throttled.replicas", "0"],
  ["remote.storage.enable", "true"],
])("%s may not be '%s'", async (name, value) => {
  expect(await check({ [name]: value })).toBe(errorCode.invalidConfig);
});

test("the least compaction lag is not above the most", async () => {
  const lags = (least: string, most: string) =>
    check({ "min.compaction.lag.ms": least, "max.compaction.lag.ms": most });
  expect(await lags("5", "5")).toBe(errorCode.none);
  expect(await lags("1000", "999")).toBe(errorCode.invalidConfig);
});

test("a value is shown as it was given to who gives it, and then as it is read", async () => {
  const given = {
    "retention.ms": " 1000 ",
    preallocate: "TRUE",
    "cleanup.policy": " compact , delete",
    "message.timestamp.type": " LogAppendTime ",
  };
  const shown = {
    "retention.ms": "1000",
    preallocate: "true",
    "cleanup.policy": "compact,delete",
    "message.timestamp.type": "LogAppendTime",
  };
  const configs = Object.entries(given).map(([name, value]) => ({ name, value }));
  const {
    name,
    errorCode: code,
    configs: told = [],
  } = await create(client, {
    name: uniqueName("blanks"),
    configs,
  });
  expect(code).toBe(errorCode.none);
  const values = (all: typeof told) =>
    Object.fromEntries((all ?? []).filter((one) => one.name in given).map((one) => [one.name, one.value]));
  expect(values(told)).toEqual(given);
  const described = await eventually("the topic", async () => {
    const { results } = await client.send(describeConfigs, 4, {
      resources: [{ resourceType: TOPIC, resourceName: name, configurationKeys: null }],
    });
    return results[0]?.errorCode === errorCode.none ? results[0].configs : null;
  });
  expect(values(described)).toEqual(shown);
});

test("the default of all brokers has only what was set there", async () => {
  const { results } = await client.send(describeConfigs, 4, {
    resources: [
      { resourceType: BROKER, resourceName: "", configurationKeys: ["log.retention.ms", "num.partitions"] },
    ],
  });
  expect(results).toMatchObject([{ errorCode: 0, configs: [] }]);
});
