/**
 * InitProducerId, versions 0 to 5: an id for a producer that is idempotent, or, under a transactional id, transactional.
 * From 3 on a producer may say who it was and continue (KIP-360).
 */
import { errorCode } from "../protocol/error-codes.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { NO_PRODUCER, NO_PRODUCER_EPOCH } from "../records/batch.ts";
import { coordinatedHandler } from "./coordinated.ts";
import { fencedAsOf } from "./transaction-errors.ts";

export const initProducerIdHandler = coordinatedHandler(
  initProducerId,
  "transaction",
  ({ transactionalId }) => transactionalId,
  (context, request) => {
    const { cluster, transactions, apiVersion } = context;
    const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request;
    if (transactionalId === "" || isHalfKnown(request)) return refused(errorCode.invalidRequest);
    if (transactionalId === null) {
      return { errorCode: errorCode.none, producerId: cluster.newProducerId(), producerEpoch: 0 };
    }
    const expected = producerId === NO_PRODUCER ? null : { producerId, producerEpoch };
    const result = transactions.init({ transactionalId, timeoutMs, expected });
    return { ...result, errorCode: fencedAsOf(apiVersion, 4, result.errorCode) };
  },
);

/** An id without an epoch, or an epoch without an id. */
function isHalfKnown({ producerId, producerEpoch }: RequestOf<typeof initProducerId>): boolean {
  return (producerId === NO_PRODUCER) !== (producerEpoch === NO_PRODUCER_EPOCH);
}

function refused(code: number) {
  return { errorCode: code, producerId: NO_PRODUCER, producerEpoch: NO_PRODUCER_EPOCH };
}
