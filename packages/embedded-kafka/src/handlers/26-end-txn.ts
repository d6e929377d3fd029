/** EndTxn, versions 0 to 4: commits a transaction, or aborts it. */
import { endTxn } from "../protocol/messages/end-txn.ts";
import { coordinatedHandler } from "./coordinated.ts";
import { fencedAsOf } from "./transaction-errors.ts";

export const endTxnHandler = coordinatedHandler(
  endTxn,
  "transaction",
  ({ transactionalId }) => transactionalId,
  ({ apiVersion, transactions }, request) => ({
    errorCode: fencedAsOf(apiVersion, 2, transactions.end(request, request.committed)),
  }),
);
