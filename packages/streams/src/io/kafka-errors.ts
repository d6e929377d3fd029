/** What an error of kafkajs means for who called: retry later, recreate the topic, or give up. */

/** The error and its causes, outermost first. */
export function* causes(error: unknown): Generator<Record<string, unknown>> {
  let current: unknown = error;
  for (let depth = 0; depth < 8 && isRecord(current); depth++) {
    yield current;
    current = current.cause;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Kafka's name of a protocol error, such as UNKNOWN_TOPIC_OR_PARTITION, if it is one. */
export function protocolErrorOf(error: unknown): string | undefined {
  for (const { type } of causes(error)) if (typeof type === "string") return type;
  return undefined;
}

export function hasErrorName(error: unknown, name: string): boolean {
  for (const cause of causes(error)) if (cause.name === name) return true;
  return false;
}

/** The topic doesn't exist (any more), or no broker knows of it yet. */
export function isTopicMissing(error: unknown): boolean {
  return (
    protocolErrorOf(error) === "UNKNOWN_TOPIC_OR_PARTITION" ||
    hasErrorName(error, "KafkaJSMetadataNotLoaded") ||
    hasErrorName(error, "KafkaJSTopicMetadataNotLoaded")
  );
}

/** Protocol errors that retrying doesn't fix; a person has to. Names as in Kafka's protocol guide, "Error codes". */
const FINAL = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "UNSUPPORTED_VERSION",
  "INVALID_GROUP_ID",
  "INVALID_TOPIC_EXCEPTION",
  "INCONSISTENT_GROUP_PROTOCOL",
  "INVALID_SESSION_TIMEOUT",
]);

/** Whether Kafka refused permanently: credentials, permissions, versions, a missing codec. */
export function isRefusal(error: unknown): boolean {
  const type = protocolErrorOf(error);
  return (
    (type !== undefined && FINAL.has(type)) ||
    hasErrorName(error, "KafkaJSSASLAuthenticationError") ||
    hasErrorName(error, "KafkaJSNotImplemented")
  );
}

/** Protocol errors that are about one record, not about the broker: alone, the others of its batch would have passed. */
const RECORD_AT_FAULT = new Set([
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "CORRUPT_MESSAGE",
]);

export function isRecordAtFault(error: unknown): boolean {
  const type = protocolErrorOf(error);
  return type !== undefined && RECORD_AT_FAULT.has(type);
}

/** The producer's identity is unknown to the broker or out of step: only a new producer helps. */
const PRODUCER_LOST = new Set([
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "UNKNOWN_PRODUCER_ID",
  "INVALID_PRODUCER_EPOCH",
  "INVALID_PRODUCER_ID_MAPPING",
]);

export function isProducerLost(error: unknown): boolean {
  const type = protocolErrorOf(error);
  return type !== undefined && PRODUCER_LOST.has(type);
}

const AWAY = [
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSNoBrokerAvailableError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSBrokerNotFound",
  "KafkaJSLockTimeout",
];

/** No broker answered. */
export function isBrokerAway(error: unknown): boolean {
  return AWAY.some((name) => hasErrorName(error, name));
}

/** What a broker answers while it starts, or while a topic or a group moves: over in a moment. */
const PASSING = new Set([
  "COORDINATOR_LOAD_IN_PROGRESS",
  "GROUP_LOAD_IN_PROGRESS",
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "NOT_COORDINATOR_FOR_GROUP",
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_FOR_PARTITION",
  "UNKNOWN_TOPIC_OR_PARTITION",
]);

/** The group has moved on: whoever joins again is part of it again. */
const REGROUPING = new Set(["REBALANCE_IN_PROGRESS", "UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION"]);

export function isRegrouping(error: unknown): boolean {
  const type = protocolErrorOf(error);
  return type !== undefined && REGROUPING.has(type);
}

export function isPassing(error: unknown): boolean {
  const type = protocolErrorOf(error);
  return (type !== undefined && PASSING.has(type)) || isRegrouping(error) || isTopicMissing(error);
}
