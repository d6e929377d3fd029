/** DescribeGroups, versions 0 to 6; from 6 on an unknown group is an error, before it is a dead one (KIP-1043). */
import type { Group } from "../coord/groups.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { describeGroups } from "../protocol/messages/describe-groups.ts";
import { groupOperations, NOT_ASKED } from "./authorized-operations.ts";
import { isCoordinator } from "./coordinated.ts";
import { handler } from "./handler.ts";

export const describeGroupsHandler = handler(describeGroups, (context, request) => ({
  groups: request.groups.map((groupId) => {
    const authorizedOperations = request.includeAuthorizedOperations ? groupOperations : NOT_ASKED;
    const { apiVersion, groups } = context;
    if (!isCoordinator(context, "group", groupId)) return elsewhere(groupId);
    const group = groups.get(groupId);
    if (group !== undefined) return { ...describe(groupId, group), authorizedOperations };
    return {
      errorCode: apiVersion >= 6 ? errorCode.groupIdNotFound : errorCode.none,
      errorMessage: apiVersion >= 6 ? `Group ${groupId} not found.` : null,
      groupId,
      groupState: "Dead",
      protocolType: "",
      protocolData: "",
      members: [],
      authorizedOperations,
    };
  }),
}));

function elsewhere(groupId: string) {
  return {
    errorCode: errorCode.notCoordinator,
    groupId,
    groupState: "",
    protocolType: "",
    protocolData: "",
    members: [],
  };
}

/** Only a stable group has settled on a protocol, and only then are subscriptions shown. */
function describe(groupId: string, { classic }: Group) {
  const protocolName = classic.state === "Stable" ? classic.protocolName : null;
  return {
    errorCode: errorCode.none,
    groupId,
    groupState: classic.state,
    protocolType: classic.protocolType ?? "",
    protocolData: protocolName ?? "",
    members: classic.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: member.metadata(protocolName),
      memberAssignment: member.assignment,
    })),
  };
}
