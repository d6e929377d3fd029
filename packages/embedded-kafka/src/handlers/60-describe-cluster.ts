/** DescribeCluster, versions 0 to 2 (KIP-700). Of the brokers: there are no controllers to be reached. */
import { errorCode } from "../protocol/error-codes.ts";
import { describeCluster } from "../protocol/messages/describe-cluster.ts";
import { clusterOperations, NOT_ASKED } from "./authorized-operations.ts";
import { handler } from "./handler.ts";

const BROKERS = 1;
const CONTROLLERS = 2;

export const describeClusterHandler = handler(describeCluster, ({ cluster, client }, request) => {
  if (request.endpointType !== BROKERS) {
    const { endpointType } = request;
    const isKnown = endpointType === CONTROLLERS;
    return {
      errorCode: isKnown ? errorCode.mismatchedEndpointType : errorCode.unsupportedEndpointType,
      errorMessage: isKnown
        ? "The request was sent to an endpoint of brokers, and wants one of controllers."
        : `Unsupported endpoint type ${endpointType}`,
      clusterId: "",
      brokers: [],
    };
  }
  return {
    errorCode: errorCode.none,
    clusterId: cluster.clusterId,
    controllerId: cluster.controllerId,
    brokers: cluster.brokers.running.map((broker) => ({
      brokerId: broker.id,
      ...client.endpointOf(broker),
      rack: broker.rack,
    })),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? clusterOperations : NOT_ASKED,
  };
});
