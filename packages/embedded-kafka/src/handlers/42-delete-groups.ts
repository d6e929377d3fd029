/** DeleteGroups, versions 0 to 2: empty groups only, with their offsets. */
import { errorCode } from "../protocol/error-codes.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { isCoordinator } from "./coordinated.ts";
import { handler } from "./handler.ts";

export const deleteGroupsHandler = handler(deleteGroups, (context, { groupsNames }) => ({
  results: [...new Set(groupsNames)].map((groupId) => ({
    groupId,
    errorCode: isCoordinator(context, "group", groupId)
      ? context.groups.delete(groupId)
      : errorCode.notCoordinator,
  })),
}));
