/** LeaveGroup, versions 0 to 5; from 3 on for several members at once (KIP-345). */
import { errorCode } from "../protocol/error-codes.ts";
import { leaveGroup } from "../protocol/messages/leave-group.ts";
import { coordinatedHandler } from "./coordinated.ts";

export const leaveGroupHandler = coordinatedHandler(
  leaveGroup,
  "group",
  ({ groupId }) => groupId,
  ({ apiVersion, groups }, request) => {
    const { groupId } = request;
    if (groupId === "") return { errorCode: errorCode.invalidGroupId };
    if (apiVersion < 3) return { errorCode: groups.leave(groupId, request.memberId, null) };
    return {
      errorCode: errorCode.none,
      members: request.members.map(({ memberId, groupInstanceId }) => ({
        memberId,
        groupInstanceId,
        errorCode: groups.leave(groupId, memberId, groupInstanceId),
      })),
    };
  },
);
