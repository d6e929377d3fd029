/** AlterConfigs, versions 0 to 2: the settings that are given, and the default for every other. */
import { alterConfigs } from "../protocol/messages/alter-configs.ts";
import { alterResource } from "./config-resources.ts";
import { handler } from "./handler.ts";

export const alterConfigsHandler = handler(alterConfigs, (context, { resources, validateOnly }) => ({
  responses: resources.map((resource) =>
    alterResource(context, resource, validateOnly, ({ own }) => {
      const changes = new Map<string, string | null>([...own].map((name) => [name, null]));
      for (const { name, value } of resource.configs) changes.set(name, value);
      return changes;
    }),
  ),
}));
