/** What DescribeConfigs, AlterConfigs and IncrementalAlterConfigs share: which thing is meant, and changing it. */
import type { ConfigDefinition } from "../cluster/config-definitions.ts";
import { configProblem } from "../cluster/config-definitions.ts";
import { brokerDefinition, topicConfigProblems } from "../cluster/config-store.ts";
import type { Topic } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { RequestContext } from "./handler.ts";

const TOPIC = 2;
const BROKER = 4;

export type ConfigResource =
  | { readonly kind: "topic"; readonly topic: Topic }
  | { readonly kind: "broker" }
  | { readonly kind: "refused"; readonly errorCode: number; readonly message: string };

interface ResourceName {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** The topic or broker that is meant. A broker without a name is the default of all of them. */
export function findResource(
  { cluster }: RequestContext,
  { resourceType, resourceName }: ResourceName,
): ConfigResource {
  if (resourceType === TOPIC) {
    const topic = cluster.topic(resourceName);
    if (topic !== undefined) return { kind: "topic", topic };
    return refused(errorCode.unknownTopicOrPartition, `The topic '${resourceName}' does not exist.`);
  }
  if (resourceType === BROKER) {
    const known = resourceName === "" || cluster.brokers.some(({ id }) => String(id) === resourceName);
    if (known) return { kind: "broker" };
    return refused(
      errorCode.invalidRequest,
      `Unexpected broker id, expected one of ${cluster.brokers.map(({ id }) => id)}, but received ${resourceName}`,
    );
  }
  return refused(errorCode.invalidRequest, `Settings of resource type ${resourceType} are not served.`);
}

function refused(code: number, message: string): ConfigResource {
  return { kind: "refused", errorCode: code, message };
}

/** Null: back to the default. */
export type ConfigChanges = ReadonlyMap<string, string | null>;

interface AlterAnswer extends ResourceName {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/**
 * Applies the changes that `changesFor` makes of a resource's present settings, or none of them where one is wrong.
 */
export function alterResource(
  context: RequestContext,
  name: ResourceName,
  validateOnly: boolean,
  changesFor: (
    current: (name: string) => string | undefined,
    own: Iterable<string>,
  ) => ConfigChanges | string,
): AlterAnswer {
  const { resourceType, resourceName } = name;
  const resource = findResource(context, name);
  const answer = (code: number, message: string | null): AlterAnswer => ({
    errorCode: code,
    errorMessage: message,
    resourceType,
    resourceName,
  });
  if (resource.kind === "refused") return answer(resource.errorCode, resource.message);
  if (resource.kind === "topic") {
    const { topic } = resource;
    const value = (config: string) =>
      context.cluster.configs.topicSynonyms(config, topic.overrides)[0]?.value;
    const changes = changesFor(value, topic.overrides.keys());
    if (typeof changes === "string") return answer(errorCode.invalidRequest, changes);
    const overrides = new Map(topic.overrides);
    for (const [config, text] of changes) {
      if (text === null) overrides.delete(config);
      else overrides.set(config, text);
    }
    const problems = topicConfigProblems(overrides);
    if (problems.length > 0) return answer(errorCode.invalidConfig, problems.join("; "));
    if (!validateOnly) topic.setOverrides(overrides);
    return answer(errorCode.none, null);
  }
  const { configs } = context.cluster;
  const changes = changesFor(
    (config) => configs.brokerSynonyms(config)[0]?.value,
    configs.dynamicBrokerNames,
  );
  if (typeof changes === "string") return answer(errorCode.invalidRequest, changes);
  const problem = brokerProblem(changes);
  if (problem !== null)
    return problem.dynamic
      ? answer(errorCode.invalidConfig, problem.message)
      : answer(errorCode.invalidRequest, problem.message);
  if (!validateOnly) {
    for (const [config, text] of changes) configs.setBroker(config, text);
    context.cluster.refreshConfigs();
  }
  return answer(errorCode.none, null);
}

function brokerProblem(changes: ConfigChanges): { message: string; dynamic: boolean } | null {
  for (const [name, value] of changes) {
    const definition: ConfigDefinition | undefined = brokerDefinition(name);
    if (definition === undefined || definition.readOnly === true) {
      return { message: `Cannot update these configs dynamically: ${name}`, dynamic: false };
    }
    const problem = value === null ? null : configProblem(definition, value);
    if (problem !== null) return { message: problem, dynamic: true };
  }
  return null;
}
