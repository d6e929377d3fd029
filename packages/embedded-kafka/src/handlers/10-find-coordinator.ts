/** FindCoordinator, versions 0 to 6; from 4 on for several keys at once (KIP-699). Of groups and of transactional ids. */
import { errorCode } from "../protocol/error-codes.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { handler, type RequestContext } from "./handler.ts";

/** What Apache Kafka says with error 42; clients show it. */
const INVALID_REQUEST =
  "This most likely occurs because of a request being malformed by the client library or the message was sent to an " +
  "incompatible broker. See the broker logs for more details.";

const GROUP = 0;
const TRANSACTION = 1;

export const findCoordinatorHandler = handler(findCoordinator, (context, request) => {
  if (context.apiVersion < 4) {
    const { key: _, ...found } = coordinator(context, request.keyType, request.key);
    // One by one, an answer says in words that all is well; several at once, it says nothing.
    return found.errorCode === errorCode.none ? { ...found, errorMessage: "NONE" } : found;
  }
  return { coordinators: request.coordinatorKeys.map((key) => coordinator(context, request.keyType, key)) };
});

function coordinator(context: RequestContext, keyType: number, key: string) {
  if (keyType !== GROUP && keyType !== TRANSACTION) {
    return refused(key, errorCode.invalidRequest, INVALID_REQUEST);
  }
  const kind = keyType === GROUP ? "group" : "transaction";
  context.cluster.ensureInternalTopic(kind);
  const broker = context.cluster.brokers.coordinatorOf(kind, key);
  if (broker === undefined) return refused(key, errorCode.coordinatorNotAvailable, "no broker is there");
  return {
    key,
    nodeId: broker.id,
    ...context.client.endpointOf(broker),
    errorCode: errorCode.none,
    errorMessage: "",
  };
}

function refused(key: string, code: number, errorMessage: string) {
  return { key, nodeId: -1, host: "", port: -1, errorCode: code, errorMessage };
}
