/** AlterConfigs, versions 0 to 2: the settings that are given, and the default for every other. */
import { alterConfigs } from "../protocol/messages/alter-configs.ts";
import { alterResources, valuesProblem } from "./config-resources.ts";
import { handler } from "./handler.ts";

export const alterConfigsHandler = handler(alterConfigs, (context, { resources, validateOnly }) => ({
  responses: alterResources(context, resources, validateOnly, ({ configs }, { own }) => {
    const problem = valuesProblem(configs);
    if (problem !== null) return problem;
    const changes = new Map<string, string | null>([...own].map((name) => [name, null]));
    for (const { name, value } of configs) changes.set(name, value);
    return changes;
  }),
}));
