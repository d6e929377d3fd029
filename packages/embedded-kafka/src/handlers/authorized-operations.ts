/**
 * What a client may do, as bit fields (KIP-430): without an authorizer, all that there is to do.
 * The numbers of the operations: https://kafka.apache.org/protocol, AclOperation.
 */

/** The client did not ask. */
export const NOT_ASKED = -2147483648;

const READ = 3;
const WRITE = 4;
const CREATE = 5;
const DELETE = 6;
const ALTER = 7;
const DESCRIBE = 8;
const CLUSTER_ACTION = 9;
const DESCRIBE_CONFIGS = 10;
const ALTER_CONFIGS = 11;
const IDEMPOTENT_WRITE = 12;

function bits(...operations: number[]): number {
  return operations.reduce((field, operation) => field | (1 << operation), 0);
}

export const clusterOperations = bits(
  CREATE,
  CLUSTER_ACTION,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
  ALTER,
  DESCRIBE,
  IDEMPOTENT_WRITE,
);
export const topicOperations = bits(
  READ,
  WRITE,
  CREATE,
  DESCRIBE,
  DELETE,
  ALTER,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
);
export const groupOperations = bits(READ, DESCRIBE, DELETE, DESCRIBE_CONFIGS, ALTER_CONFIGS);
