/** DescribeConfigs, versions 1 to 4, of topics and brokers. */
import { errorCode } from "../protocol/error-codes.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { describeBrokerConfigs, describeTopicConfigs } from "./config-descriptions.ts";
import { type ConfigResource, findResource } from "./config-resources.ts";
import { handler, type RequestContext } from "./handler.ts";

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
      errorMessage: problem?.message ?? null,
      resourceType,
      resourceName,
      configs,
    };
  }),
}));

function describe({ cluster }: RequestContext, resource: ConfigResource, { configurationKeys }: Wanted) {
  switch (resource.kind) {
    case "topic":
      return describeTopicConfigs(cluster.configs, resource.topic.overrides, configurationKeys);
    case "broker":
      return describeBrokerConfigs(cluster.configs, configurationKeys);
    case "refused":
      return [];
  }
}
