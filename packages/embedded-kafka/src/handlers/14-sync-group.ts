/** SyncGroup, versions 0 to 5. Waits until the leader has assigned. */
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { coordinatedHandler } from "./coordinated.ts";

export const syncGroupHandler = coordinatedHandler(
  syncGroup,
  "group",
  ({ groupId }) => groupId,
  ({ groups }, request) => groups.sync(request.groupId, request),
);
