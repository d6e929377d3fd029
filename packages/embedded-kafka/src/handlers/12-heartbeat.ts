/** Heartbeat, versions 0 to 4. */
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { coordinatedHandler } from "./coordinated.ts";

export const heartbeatHandler = coordinatedHandler(
  heartbeat,
  "group",
  ({ groupId }) => groupId,
  ({ groups }, request) => ({
    errorCode: groups.heartbeat(
      request.groupId,
      request.memberId,
      request.groupInstanceId,
      request.generationId,
    ),
  }),
);
