/**
 * DescribeTransactions, version 0 (KIP-664). A group whose offsets are part of the transaction shows as the partition of
 * the internal topic that it falls into.
 */
import { coordinatorSet } from "../cluster/brokers.ts";
import { internalTopicNames } from "../cluster/internal-topics.ts";
import type { TransactionalId } from "../coord/transactional-id.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { describeTransactions } from "../protocol/messages/describe-transactions.ts";
import { isCoordinator } from "./coordinated.ts";
import { handler, type RequestContext } from "./handler.ts";

export const describeTransactionsHandler = handler(describeTransactions, (context, request) => ({
  transactionStates: request.transactionalIds.map((id) => describe(context, id)),
}));

function describe(context: RequestContext, transactionalId: string) {
  if (!isCoordinator(context, "transaction", transactionalId)) {
    return { ...NOTHING, transactionalId, errorCode: errorCode.notCoordinator };
  }
  const { transactions } = context;
  const held = transactions.get(transactionalId);
  if (held === undefined) {
    const code = transactionalId === "" ? errorCode.invalidRequest : errorCode.transactionalIdNotFound;
    return { ...NOTHING, transactionalId, errorCode: code };
  }
  return {
    errorCode: errorCode.none,
    transactionalId,
    transactionState: held.state,
    transactionTimeoutMs: held.timeoutMs,
    transactionStartTimeMs: held.startedMs,
    producerId: held.producerId,
    producerEpoch: held.producerEpoch,
    topics: touched(held),
  };
}

function touched({ partitions, groups }: TransactionalId) {
  const topics = [...partitions].map(([topic, indexes]) => ({ topic, partitions: [...indexes] }));
  if (groups.size === 0) return topics;
  return [
    ...topics,
    { topic: internalTopicNames.group, partitions: [...new Set([...groups].map(coordinatorSet))] },
  ];
}

const NOTHING = {
  transactionState: "",
  transactionTimeoutMs: 0,
  transactionStartTimeMs: 0,
  producerId: 0,
  producerEpoch: 0,
  topics: [],
};
