/** JoinGroup, versions 0 to 9. Waits until all members are there. */
import { joinGroup } from "../protocol/messages/join-group.ts";
import { coordinatedHandler } from "./coordinated.ts";

export const joinGroupHandler = coordinatedHandler(
  joinGroup,
  "group",
  ({ groupId }) => groupId,
  async (context, request) => {
    const version = context.apiVersion;
    const result = await context.groups.join(request.groupId, {
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      clientId: context.client.clientId,
      clientHost: context.client.clientHost,
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs: version === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
      protocolType: request.protocolType,
      // Kept for as long as the member is there: a slice would keep the whole request.
      protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      needsMemberId: version >= 4,
      canSkipAssignment: version >= 9,
    });
    return { ...result, protocolName: version >= 7 ? result.protocolName : (result.protocolName ?? "") };
  },
);
