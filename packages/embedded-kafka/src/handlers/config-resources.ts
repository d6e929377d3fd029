/** What DescribeConfigs, AlterConfigs and IncrementalAlterConfigs share: which thing is meant, and changing it. */
import type { Refusal } from "../cluster/cluster.ts";
import { configProblem } from "../cluster/config-definitions.ts";
import { brokerDefinition, topicConfigProblems } from "../cluster/config-store.ts";
import { otherBrokerConfigs } from "../cluster/other-broker-configs.ts";
import type { Topic } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { RequestContext } from "./handler.ts";

const TOPIC = 2;
const BROKER = 4;

export type ConfigResource =
  | { readonly kind: "topic"; readonly topic: Topic }
  | { readonly kind: "broker" }
  | ({ readonly kind: "refused" } & Refusal);

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
    const known = resourceName === "" || cluster.brokers.all.some(({ id }) => String(id) === resourceName);
    if (known) return { kind: "broker" };
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

/** Applies the changes that `changesOf` makes of a resource's settings, or none of them where one is wrong. */
export function alterResource(
  context: RequestContext,
  name: ResourceName,
  validateOnly: boolean,
  changesOf: (current: CurrentConfigs) => ConfigChanges | Refusal,
): AlterAnswer {
  const { resourceType, resourceName } = name;
  const resource = findResource(context, name);
  const problem =
    resource.kind === "refused"
      ? resource
      : resource.kind === "topic"
        ? alterTopic(context, resource.topic, validateOnly, changesOf)
        : alterBroker(context, validateOnly, changesOf);
  return {
    errorCode: problem?.errorCode ?? errorCode.none,
    errorMessage: problem?.message ?? null,
    resourceType,
    resourceName,
  };
}

function alterTopic(
  { cluster }: RequestContext,
  topic: Topic,
  validateOnly: boolean,
  changesOf: (current: CurrentConfigs) => ConfigChanges | Refusal,
): Refusal | null {
  const changes = changesOf({
    own: topic.overrides.keys(),
    value: (name) => cluster.configs.topicValue(name, topic.overrides),
  });
  if ("message" in changes) return changes;
  const overrides = new Map(topic.overrides);
  for (const [name, value] of changes) {
    if (value === null) overrides.delete(name);
    else overrides.set(name, value);
  }
  const problems = topicConfigProblems(overrides);
  if (problems.length > 0) return { errorCode: errorCode.invalidConfig, message: problems.join("; ") };
  if (!validateOnly) topic.setOverrides(overrides);
  return null;
}

function alterBroker(
  { cluster }: RequestContext,
  validateOnly: boolean,
  changesOf: (current: CurrentConfigs) => ConfigChanges | Refusal,
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
