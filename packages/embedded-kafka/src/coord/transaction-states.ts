/**
 * What happens in which state of a transactional id, in the first transaction protocol (KIP-98, KIP-360). The compiler
 * asks for every pair.
 *
 * Empty ─add─► Ongoing ─commit, abort, timeout, init─► Prepare… ─markers written─► Complete… ─add─► Ongoing
 */
import { errorCode } from "../protocol/error-codes.ts";

export const transactionStates = [
  "Empty",
  "Ongoing",
  "PrepareCommit",
  "PrepareAbort",
  "CompleteCommit",
  "CompleteAbort",
] as const;

/** Where a transaction is on its way, by the names of Apache Kafka's `TransactionState`. */
export type TransactionState = (typeof transactionStates)[number];

export type TransactionEvent =
  /** InitProducerId: a producer begins, or begins again. */
  | "init"
  /** A partition or a group is added. */
  | "add"
  | "commit"
  | "abort"
  /** The transaction took longer than its timeout. */
  | "timeout"
  /** Every partition has its marker, every group its offsets. */
  | "written"
  /** Unused for `transactional.id.expiration.ms`. */
  | "expire";

export type Outcome =
  | { readonly kind: "move"; readonly to: TransactionState }
  /** Raises the epoch, so that the producer is fenced, and then moves. */
  | { readonly kind: "fence"; readonly to: TransactionState }
  /** Nothing changes. */
  | { readonly kind: "answer"; readonly errorCode: number }
  /** The transactional id is forgotten. */
  | { readonly kind: "forget" };

const to = (state: TransactionState): Outcome => ({ kind: "move", to: state });
const fence: Outcome = { kind: "fence", to: "PrepareAbort" };
const forget: Outcome = { kind: "forget" };
const nothing: Outcome = { kind: "answer", errorCode: errorCode.none };
const invalid: Outcome = { kind: "answer", errorCode: errorCode.invalidTxnState };
const later: Outcome = { kind: "answer", errorCode: errorCode.concurrentTransactions };

export const outcomes: Readonly<Record<TransactionState, Readonly<Record<TransactionEvent, Outcome>>>> = {
  Empty: {
    init: to("Empty"),
    add: to("Ongoing"),
    commit: invalid,
    abort: invalid,
    timeout: nothing,
    written: nothing,
    expire: forget,
  },
  Ongoing: {
    init: fence,
    add: to("Ongoing"),
    commit: to("PrepareCommit"),
    abort: to("PrepareAbort"),
    timeout: fence,
    written: nothing,
    expire: nothing,
  },
  PrepareCommit: {
    init: later,
    add: later,
    commit: later,
    abort: invalid,
    timeout: nothing,
    written: to("CompleteCommit"),
    expire: nothing,
  },
  PrepareAbort: {
    init: later,
    add: later,
    commit: invalid,
    abort: later,
    timeout: nothing,
    written: to("CompleteAbort"),
    expire: nothing,
  },
  CompleteCommit: {
    init: to("Empty"),
    add: to("Ongoing"),
    commit: nothing,
    abort: invalid,
    timeout: nothing,
    written: nothing,
    expire: forget,
  },
  CompleteAbort: {
    init: to("Empty"),
    add: to("Ongoing"),
    commit: invalid,
    abort: nothing,
    timeout: nothing,
    written: nothing,
    expire: forget,
  },
};
