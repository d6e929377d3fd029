/** FindCoordinator, versions 0 to 6; from 4 on for several keys at once (KIP-699). Of groups only: no transactions yet. */
import { errorCode } from "../protocol/error-codes.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { handler, type RequestContext } from "./handler.ts";

const GROUP = 0;

export const findCoordinatorHandler = handler(findCoordinator, (context, request) => {
  if (context.apiVersion < 4) {
    const { key: _, ...found } = coordinator(context, request.keyType, request.key);
    return { ...found, errorMessage: found.errorMessage ?? "" };
  }
  return { coordinators: request.coordinatorKeys.map((key) => coordinator(context, request.keyType, key)) };
});

function coordinator(context: RequestContext, keyType: number, key: string) {
  const broker = context.cluster.coordinatorOf(key);
  if (keyType !== GROUP || broker === undefined) {
    return {
      key,
      nodeId: -1,
      host: "",
      port: -1,
      errorCode: keyType === GROUP ? errorCode.coordinatorNotAvailable : errorCode.unsupportedVersion,
      errorMessage: "this broker coordinates consumer groups only",
    };
  }
  return {
    key,
    nodeId: broker.id,
    ...context.client.endpointOf(broker),
    errorCode: errorCode.none,
    errorMessage: null,
  };
}
