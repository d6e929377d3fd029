/** What DescribeConfigs, AlterConfigs and IncrementalAlterConfigs share: which resource is named, and changing it. */
import type { Refusal } from "../cluster/cluster.ts";
import { configProblem } from "../cluster/config-definitions.ts";
import { brokerDefinition, topicConfigProblems, topicConfigText } from "../cluster/config-store.ts";
import { otherBrokerConfigs } from "../cluster/other-broker-configs.ts";
import type { Topic } from "../cluster/topic.ts";
import { topicNameProblem } from "../cluster/topic-name.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { RequestContext } from "./handler.ts";

const TOPIC = 2;
const BROKER = 4;

export type ConfigResource =
  | { readonly kind: "topic"; readonly topic: Topic }
  | { readonly kind: "broker" }
  | { readonly kind: "default of brokers" }
  | ({ readonly kind: "refused" } & Refusal);

interface ResourceName {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** The topic or broker that is named. A broker without a name is the default of all of them. */
export function findResource(
  { cluster }: RequestContext,
  { resourceType, resourceName }: ResourceName,
): ConfigResource {
  if (resourceType === TOPIC) {
    const topic = cluster.topic(resourceName);
    if (topic !== undefined) return { kind: "topic", topic };
    const problem = topicNameProblem(resourceName);
    if (problem !== null) return refused(errorCode.invalidTopic, problem);
    return refused(errorCode.unknownTopicOrPartition, `The topic '${resourceName}' does not exist.`);
  }
  if (resourceType === BROKER) {
    if (resourceName === "") return { kind: "default of brokers" };
    if (cluster.brokers.all.some(({ id }) => String(id) === resourceName)) return { kind: "broker" };
    return refused(
      errorCode.invalidRequest,
      `Unexpected broker id, expected one of ${cluster.brokers.all.map(({ id }) => id)}, but received ${resourceName}`,
    );
  }
  return refused(errorCode.invalidRequest, `Settings of resource type ${resourceType} are not served.`);
}

function refused(code: number, message: string): ConfigResource {
  return { kind: "refused", errorCode: code, message };
}

/** New values by name; null: back to the default. */
export type ConfigChanges = ReadonlyMap<string, string | null>;

/** The settings that a resource has of its own, and the value of any that holds now. */
export interface CurrentConfigs {
  readonly own: Iterable<string>;
  value(name: string): string;
}

interface AlterAnswer extends ResourceName {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

type ChangesOf = (current: CurrentConfigs) => ConfigChanges | Refusal;

/**
 * Applies to each resource the changes that `changesOf` makes of its settings, or none of them where one is wrong. What is named
 * twice is left alone.
 */
export function alterResources<R extends ResourceName>(
  context: RequestContext,
  resources: readonly R[],
  validateOnly: boolean,
  changesOf: (resource: R, current: CurrentConfigs) => ConfigChanges | Refusal,
): AlterAnswer[] {
  const key = ({ resourceType, resourceName }: ResourceName) => `${resourceType} ${resourceName}`;
  const named = Map.groupBy(resources, key);
  return resources.map((resource) => {
    const problem =
      named.get(key(resource))?.length === 1
        ? alterResource(context, resource, validateOnly, (current) => changesOf(resource, current))
        : invalid("Each resource must appear at most once.");
    return {
      errorCode: problem?.errorCode ?? errorCode.none,
      errorMessage: problem?.message ?? null,
      resourceType: resource.resourceType,
      resourceName: resource.resourceName,
    };
  });
}

function alterResource(
  context: RequestContext,
  name: ResourceName,
  validateOnly: boolean,
  changesOf: ChangesOf,
): Refusal | null {
  if (name.resourceType === TOPIC && name.resourceName === "") {
    return invalid("Default topic resources are not allowed.");
  }
  const resource = findResource(context, name);
  if (resource.kind === "refused") return resource;
  if (resource.kind === "topic") return alterTopic(context, resource.topic, validateOnly, changesOf);
  return alterBroker(context, validateOnly, changesOf);
}

/** Why values can't be set, whatever they are of; null where they can. */
export function valuesProblem(
  configs: readonly { readonly name: string; readonly value: string | null }[],
): Refusal | null {
  const withoutValue = configs.find(({ value }) => value === null);
  if (withoutValue !== undefined) return invalid(`Null value not supported for: ${withoutValue.name}`);
  const isTwice = new Set(configs.map(({ name }) => name)).size < configs.length;
  return isTwice ? invalid("Error due to duplicate config keys") : null;
}

function invalid(message: string): Refusal {
  return { errorCode: errorCode.invalidRequest, message };
}

function alterTopic(
  { cluster }: RequestContext,
  topic: Topic,
  validateOnly: boolean,
  changesOf: ChangesOf,
): Refusal | null {
  const changes = changesOf({
    own: topic.overrides.keys(),
    value: (name) => cluster.configs.topicValue(name, topic.overrides),
  });
  if ("message" in changes) return changes;
  const overrides = new Map(topic.overrides);
  for (const [name, value] of changes) {
    if (value === null) overrides.delete(name);
    else overrides.set(name, topicConfigText(name, value));
  }
  const problems = topicConfigProblems(overrides);
  if (problems.length > 0) return { errorCode: errorCode.invalidConfig, message: problems.join("; ") };
  if (!validateOnly) topic.setOverrides(overrides);
  return null;
}

function alterBroker(
  { cluster }: RequestContext,
  validateOnly: boolean,
  changesOf: ChangesOf,
): Refusal | null {
  const { configs } = cluster;
  const changes = changesOf({ own: configs.dynamicBrokerNames, value: (name) => configs.brokerValue(name) });
  if ("message" in changes) return changes;
  for (const [name, value] of changes) {
    const definition = brokerDefinition(name);
    if ((definition ?? otherBrokerConfigs().get(name))?.readOnly === true) {
      const message = `Cannot update these configs dynamically: [${name}]`;
      return { errorCode: errorCode.invalidRequest, message };
    }
    const problem = value === null || definition === undefined ? null : configProblem(definition, value);
    if (problem !== null) return { errorCode: errorCode.invalidRequest, message: problem };
  }
  if (validateOnly) return null;
  for (const [name, value] of changes) configs.setBroker(name, value);
  cluster.refreshConfigs();
  return null;
}
