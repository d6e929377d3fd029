/** Heartbeat, versions 0 to 4. */
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { handler } from "./handler.ts";

export const heartbeatHandler = handler(heartbeat, ({ groups }, request) => ({
  errorCode: groups.heartbeat(
    request.groupId,
    request.memberId,
    request.groupInstanceId,
    request.generationId,
  ),
}));
