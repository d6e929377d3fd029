/** IncrementalAlterConfigs, versions 0 and 1 (KIP-339): single settings, set, unset, or changed as lists. */
import { type ConfigDefinition, listElements } from "../cluster/config-definitions.ts";
import { brokerDefinition, topicDefinition } from "../cluster/config-store.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { alterResource, type ConfigChanges } from "./config-resources.ts";
import { handler } from "./handler.ts";

type Resource = RequestOf<typeof incrementalAlterConfigs>["resources"][number];

const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

export const incrementalAlterConfigsHandler = handler(
  incrementalAlterConfigs,
  (context, { resources, validateOnly }) => ({
    responses: resources.map((resource) =>
      alterResource(context, resource, validateOnly, (current) => changesOf(resource, current)),
    ),
  }),
);

/** The changes, or in words why they can't be. */
function changesOf(
  resource: Resource,
  current: (name: string) => string | undefined,
): ConfigChanges | string {
  const changes = new Map<string, string | null>();
  for (const { name, configOperation, value } of resource.configs) {
    if (changes.has(name)) return `Error due to duplicate config keys: ${name}`;
    if (configOperation === DELETE) {
      changes.set(name, null);
      continue;
    }
    if (value === null) return `Null value not supported for: ${name}`;
    if (configOperation === SET) {
      changes.set(name, value);
      continue;
    }
    if (configOperation !== APPEND && configOperation !== SUBTRACT) {
      return `Unknown operation ${configOperation} for ${name}`;
    }
    const definition: ConfigDefinition | undefined = topicDefinition(name) ?? brokerDefinition(name);
    if (definition?.type !== "list") return `Config value append is not allowed for config key: ${name}`;
    const before = listElements(current(name) ?? definition.default);
    const given = listElements(value);
    const after =
      configOperation === APPEND
        ? [...before, ...given.filter((element) => !before.includes(element))]
        : before.filter((element) => !given.includes(element));
    changes.set(name, after.join(","));
  }
  return changes;
}
