/** SyncGroup, versions 0 to 5. Waits until the leader has assigned. */
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { handler } from "./handler.ts";

export const syncGroupHandler = handler(syncGroup, ({ groups }, request) =>
  groups.sync(request.groupId, request),
);
