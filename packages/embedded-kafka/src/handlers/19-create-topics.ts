/** CreateTopics, versions 2 to 7; from 5 on the answer tells the topic's shape and settings (KIP-525). */
import { topicConfigText } from "../cluster/config-store.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { createTopics } from "../protocol/messages/create-topics.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { describeTopicConfigs } from "./config-descriptions.ts";
import { handler, type RequestContext } from "./handler.ts";

type Wanted = RequestOf<typeof createTopics>["topics"][number];

export const createTopicsHandler = handler(createTopics, (context, { topics, validateOnly }) => {
  const seen = new Set<string>();
  const twice = new Set(
    topics.filter(({ name }) => seen.size === seen.add(name).size).map(({ name }) => name),
  );
  return {
    topics: topics
      .filter(({ name }, index) => topics.findIndex((other) => other.name === name) === index)
      .map((wanted) =>
        twice.has(wanted.name)
          ? refused(wanted.name, errorCode.invalidRequest, "Duplicate topic name.")
          : create(context, wanted, validateOnly),
      ),
  };
});

function create(context: RequestContext, wanted: Wanted, validateOnly: boolean) {
  const { name } = wanted;
  const configs = new Map<string, string>();
  const asGiven = new Map<string, string>();
  for (const config of wanted.configs) {
    if (config.value === null) {
      return refused(
        name,
        errorCode.invalidConfig,
        `Null value not supported for topic configs: ${config.name}`,
      );
    }
    asGiven.set(config.name, config.value);
    configs.set(config.name, topicConfigText(config.name, config.value));
  }
  const result = context.cluster.createTopic({
    name,
    partitions: wanted.numPartitions,
    replicationFactor: wanted.replicationFactor,
    assignments: wanted.assignments.map(({ partitionIndex, brokerIds }) => ({
      partition: partitionIndex,
      brokerIds,
    })),
    configs,
    validateOnly,
  });
  if ("message" in result) return refused(name, result.errorCode, result.message);
  return {
    name,
    topicId: result.topicId,
    errorCode: errorCode.none,
    errorMessage: null,
    numPartitions: result.replicas.length,
    replicationFactor: result.replicas[0]?.length ?? -1,
    // Shown as they were given; DescribeConfigs shows them as they are read.
    configs: describeTopicConfigs(context.cluster.configs, configs, null).map((config) => ({
      ...config,
      value: asGiven.get(config.name) ?? config.value,
    })),
  };
}

function refused(name: string, code: number, message: string) {
  return { name, errorCode: code, errorMessage: message };
}
