/** ListGroups, versions 0 to 5: of the groups that the asked broker coordinates; filters by state from 4 on (KIP-518), by type from 5 on (KIP-848). */
import { errorCode } from "../protocol/error-codes.ts";
import { listGroups } from "../protocol/messages/list-groups.ts";
import { isCoordinator } from "./coordinated.ts";
import { handler } from "./handler.ts";

const CLASSIC = "classic";

export const listGroupsHandler = handler(listGroups, (context, { statesFilter, typesFilter }) => ({
  errorCode: errorCode.none,
  groups: context.groups.all
    .filter(({ classic }) => isCoordinator(context, "group", classic.groupId))
    .map(({ classic }) => ({
      groupId: classic.groupId,
      protocolType: classic.protocolType ?? "",
      groupState: classic.state,
      groupType: CLASSIC,
    }))
    .filter(
      ({ groupState, groupType }) => isWanted(groupState, statesFilter) && isWanted(groupType, typesFilter),
    ),
}));

/** An empty filter lets everything through; case does not matter. */
function isWanted(value: string, filter: readonly string[]): boolean {
  return filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase());
}
