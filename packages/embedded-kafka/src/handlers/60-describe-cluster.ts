/** DescribeCluster, versions 0 to 2 (KIP-700). Of the brokers: there are no controllers to be reached. */
import { errorCode } from "../protocol/error-codes.ts";
import { describeCluster } from "../protocol/messages/describe-cluster.ts";
import { clusterOperations, NOT_ASKED } from "./authorized-operations.ts";
import { handler } from "./handler.ts";

const BROKERS = 1;

export const describeClusterHandler = handler(describeCluster, ({ cluster, client }, request) => {
  if (request.endpointType !== BROKERS) {
    return {
      errorCode: errorCode.mismatchedEndpointType,
      errorMessage: "The request was sent to an endpoint of brokers.",
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
