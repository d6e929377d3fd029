/** IncrementalAlterConfigs, versions 0 and 1 (KIP-339): single settings, set, unset, or changed as lists. */
import type { Refusal } from "../cluster/cluster.ts";
import { listElements } from "../cluster/config-definitions.ts";
import { brokerDefinition, topicDefinition } from "../cluster/config-store.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { alterResources, type ConfigChanges, type CurrentConfigs } from "./config-resources.ts";
import { handler } from "./handler.ts";

type Resource = RequestOf<typeof incrementalAlterConfigs>["resources"][number];

const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

export const incrementalAlterConfigsHandler = handler(
  incrementalAlterConfigs,
  (context, { resources, validateOnly }) => ({
    responses: alterResources(context, resources, validateOnly, changesOf),
  }),
);

/** The changes, or why they can't be. */
function changesOf({ configs }: Resource, current: CurrentConfigs): ConfigChanges | Refusal {
  const changes = new Map<string, string | null>();
  for (const { name, configOperation, value } of configs) {
    if (changes.has(name))
      return refuse(errorCode.invalidRequest, `Error due to duplicate config keys: ${name}`);
    if (configOperation === DELETE) {
      changes.set(name, null);
      continue;
    }
    if (value === null) return refuse(errorCode.invalidRequest, `Null value not supported for: ${name}`);
    if (configOperation === SET) {
      changes.set(name, value);
      continue;
    }
    const changed = changedList(name, configOperation, value, current);
    if (typeof changed !== "string") return changed;
    changes.set(name, changed);
  }
  return changes;
}

/** A list with elements more or fewer. */
function changedList(
  name: string,
  operation: number,
  value: string,
  current: CurrentConfigs,
): string | Refusal {
  if (operation !== APPEND && operation !== SUBTRACT) {
    return refuse(errorCode.invalidRequest, `Unknown operation ${operation} for ${name}`);
  }
  const definition = topicDefinition(name) ?? brokerDefinition(name);
  if (definition?.type !== "list") {
    return refuse(errorCode.invalidConfig, `Can't append to or subtract from ${name}: it is not a list`);
  }
  const before = listElements(current.value(name));
  const given = listElements(value);
  const after =
    operation === APPEND
      ? [...before, ...given.filter((element) => !before.includes(element))]
      : before.filter((element) => !given.includes(element));
  return after.join(",");
}

function refuse(code: number, message: string): Refusal {
  return { errorCode: code, message };
}
