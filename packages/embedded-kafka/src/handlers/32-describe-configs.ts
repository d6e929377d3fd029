/** DescribeConfigs, versions 1 to 4, of topics and brokers. */
import { errorCode } from "../protocol/error-codes.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import type { RequestOf } from "../protocol/schema.ts";
import {
  describeBrokerConfigs,
  describeBrokerDefaults,
  describeTopicConfigs,
} from "./config-descriptions.ts";
import { type ConfigResource, findResource } from "./config-resources.ts";
import { handler, type RequestContext } from "./handler.ts";

/** As Apache Kafka 4.3 answers: in the order of a Java hash table of them. */
const TOPIC_ORDER: readonly string[] = [
  "compression.type",
  "remote.log.delete.on.disable",
  "leader.replication.throttled.replicas",
  "remote.storage.enable",
  "min.insync.replicas",
  "segment.jitter.ms",
  "remote.log.copy.disable",
  "local.retention.ms",
  "cleanup.policy",
  "flush.ms",
  "follower.replication.throttled.replicas",
  "compression.lz4.level",
  "segment.bytes",
  "retention.ms",
  "compression.gzip.level",
  "flush.messages",
  "compression.zstd.level",
  "max.compaction.lag.ms",
  "file.delete.delay.ms",
  "max.message.bytes",
  "min.compaction.lag.ms",
  "message.timestamp.type",
  "local.retention.bytes",
  "preallocate",
  "index.interval.bytes",
  "min.cleanable.dirty.ratio",
  "unclean.leader.election.enable",
  "retention.bytes",
  "delete.retention.ms",
  "message.timestamp.after.max.ms",
  "message.timestamp.before.max.ms",
  "segment.ms",
  "segment.index.bytes",
];

type Wanted = RequestOf<typeof describeConfigs>["resources"][number];

export const describeConfigsHandler = handler(describeConfigs, (context, request) => ({
  results: request.resources.map((wanted) => {
    const { resourceType, resourceName } = wanted;
    const resource = findResource(context, wanted);
    const problem = resource.kind === "refused" ? resource : null;
    const configs = describe(context, resource, wanted).map((config) => ({
      ...config,
      synonyms: request.includeSynonyms ? config.synonyms : [],
      documentation: request.includeDocumentation ? config.documentation : null,
    }));
    return {
      errorCode: problem?.errorCode ?? errorCode.none,
      errorMessage: problem?.message ?? "",
      resourceType,
      resourceName,
      configs,
    };
  }),
}));

function describe({ cluster }: RequestContext, resource: ConfigResource, { configurationKeys }: Wanted) {
  switch (resource.kind) {
    case "topic":
      return describeTopicConfigs(cluster.configs, resource.topic.overrides, configurationKeys).sort(
        (a, b) => TOPIC_ORDER.indexOf(a.name) - TOPIC_ORDER.indexOf(b.name),
      );
    case "broker":
      return describeBrokerConfigs(cluster.configs, configurationKeys);
    case "default of brokers":
      return describeBrokerDefaults(cluster.configs, configurationKeys);
    case "refused":
      return [];
  }
}
