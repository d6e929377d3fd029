/** ListPartitionReassignments, version 0 (KIP-455). There are none: a reassignment is over when it is answered. */
import { errorCode } from "../protocol/error-codes.ts";
import { listPartitionReassignments } from "../protocol/messages/list-partition-reassignments.ts";
import { handler } from "./handler.ts";

export const listPartitionReassignmentsHandler = handler(listPartitionReassignments, () => ({
  errorCode: errorCode.none,
  topics: [],
}));
