/** DeleteGroups, versions 0 to 2: empty groups only, with their offsets. */
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { handler } from "./handler.ts";

export const deleteGroupsHandler = handler(deleteGroups, ({ groups }, { groupsNames }) => ({
  results: groupsNames.map((groupId) => ({ groupId, errorCode: groups.delete(groupId) })),
}));
