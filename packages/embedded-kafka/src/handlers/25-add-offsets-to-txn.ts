/** AddOffsetsToTxn, versions 0 to 4: a group's offsets become part of a transaction. */
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { coordinatedHandler } from "./coordinated.ts";
import { fencedAsOf } from "./transaction-errors.ts";

export const addOffsetsToTxnHandler = coordinatedHandler(
  addOffsetsToTxn,
  "transaction",
  ({ transactionalId }) => transactionalId,
  ({ apiVersion, transactions }, request) => ({
    errorCode: fencedAsOf(apiVersion, 2, transactions.addGroup(request, request.groupId)),
  }),
);
