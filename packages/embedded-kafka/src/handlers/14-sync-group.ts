/** SyncGroup, versions 0 to 5. Waits until the leader has assigned. */
import { failedSync } from "../coord/classic-member.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { coordinatedHandler } from "./coordinated.ts";

export const syncGroupHandler = coordinatedHandler(
  syncGroup,
  "group",
  ({ groupId }) => groupId,
  ({ apiVersion, groups }, request) => {
    // From version 5 on a member says how it believes that the group shares (KIP-559).
    const isSilent = request.protocolType === null || request.protocolName === null;
    if (apiVersion >= 5 && isSilent) return failedSync(errorCode.inconsistentGroupProtocol);
    return groups.sync(request.groupId, request);
  },
);
