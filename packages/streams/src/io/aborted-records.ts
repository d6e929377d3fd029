/**
 * Leaves out the records of aborted transactions (KIP-98), in place of kafkajs 2.2.4, which does so only for transactions
 * that do not overlap. It takes the list of aborted ones for sorted by their beginnings, where brokers sort by their
 * ends, and begins one of them with each record: of two that overlap it hands over records that were never committed, and
 * may leave out committed ones of a producer that had aborted one before.
 */
import { createRequire } from "node:module";

/** What kafkajs makes of a record in a fetched partition. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Uint8Array | null;
  /** Kept from readers, and counted all the same. */
  isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/** The type of a control record's key (version, type; both int16) that ends a transaction without committing it. */
const ABORT = Buffer.from([0, 0, 0, 0]);

/** Marks the records of aborted transactions as none for readers. As Java's `CompletedFetch.nextFetchedRecord` decides. */
export function markAborted(
  messages: readonly FetchedMessage[],
  abortedTransactions: readonly AbortedTransaction[],
): void {
  const coming = abortedTransactions.toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const aborting = new Set<string>();
  let next = 0;
  for (const message of messages) {
    for (let each = coming[next]; each !== undefined; each = coming[++next]) {
      if (Number(each.firstOffset) > Number(message.offset)) break;
      aborting.add(each.producerId);
    }
    const { producerId, inTransaction } = message.batchContext;
    if (message.isControlRecord) {
      if (message.key !== null && ABORT.equals(message.key)) aborting.delete(producerId);
    } else if (inTransaction && aborting.has(producerId)) message.isControlRecord = true;
  }
}

interface FetchedPartition {
  messages: readonly FetchedMessage[];
  abortedTransactions?: readonly AbortedTransaction[] | null;
}

interface Fetched {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

type Fetch = (this: object, request: object) => Promise<Fetched>;

let isMended = false;

export function mendAbortedRecords(): void {
  if (isMended) return;
  isMended = true;
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/broker");
  if (typeof loaded !== "function") return;
  const prototype: unknown = loaded.prototype;
  if (!canFetch(prototype)) return;
  const fetch = prototype.fetch;
  prototype.fetch = async function (this: object, request: object) {
    const fetched = await fetch.call(this, request);
    for (const partition of fetched.responses.flatMap(({ partitions }) => partitions)) {
      const { messages, abortedTransactions } = partition;
      if (!abortedTransactions || abortedTransactions.length === 0) continue;
      markAborted(messages, abortedTransactions);
      partition.abortedTransactions = [];
    }
    return fetched;
  };
}

function canFetch(prototype: unknown): prototype is { fetch: Fetch } {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    "fetch" in prototype &&
    typeof prototype.fetch === "function"
  );
}
