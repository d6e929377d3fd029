/**
 * ListTransactions, versions 0 to 2 (KIP-664): by state and producer id; from 1 on by duration (KIP-994), from 2 on by a
 * pattern that the whole transactional id has to fit (KIP-1152).
 */
import { transactionStates } from "../coord/transaction-states.ts";
import type { TransactionalId } from "../coord/transactional-id.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { listTransactions } from "../protocol/messages/list-transactions.ts";
import type { RequestOf } from "../protocol/schema.ts";
import { isCoordinator } from "./coordinated.ts";
import { handler } from "./handler.ts";
import { linearPattern, PatternError } from "./linear-pattern.ts";

type Request = RequestOf<typeof listTransactions>;

/** States that Apache Kafka has and that are never seen here: filters for them are legal. */
const UNSEEN_STATES = ["Dead", "PrepareEpochFence"];
const knownStates: readonly string[] = [...transactionStates, ...UNSEEN_STATES];

export const listTransactionsHandler = handler(listTransactions, (context, request) => {
  const wanted = context.transactions.all
    .filter(({ id }) => isCoordinator(context, "transaction", id))
    .filter((held) => isWanted(held, request, context.clock.now()));
  const fits = fitting(
    wanted.map(({ id }) => id),
    request.transactionalIdPattern,
  );
  if (fits === null) {
    return { errorCode: errorCode.invalidRegularExpression, unknownStateFilters: [], transactionStates: [] };
  }
  return {
    errorCode: errorCode.none,
    unknownStateFilters: [...new Set(request.stateFilters)].filter((state) => !knownStates.includes(state)),
    transactionStates: wanted
      .filter((_, index) => fits[index])
      .map(({ id, producerId, state }) => ({ transactionalId: id, producerId, transactionState: state })),
  };
});

function isWanted(held: TransactionalId, request: Request, nowMs: number): boolean {
  const { stateFilters, producerIdFilters, durationFilter } = request;
  // As in Apache Kafka, a producer that has had no transaction counts as one that has run for ever.
  const longEnough = durationFilter < 0 || nowMs - held.startedMs > durationFilter;
  return (
    longEnough &&
    (stateFilters.length === 0 || stateFilters.includes(held.state)) &&
    (producerIdFilters.length === 0 || producerIdFilters.includes(held.producerId))
  );
}

/** Which ids fit; null where the pattern is none. */
function fitting(ids: readonly string[], pattern: string | null): boolean[] | null {
  if (pattern === null || pattern === "") return ids.map(() => true);
  try {
    return ids.map(linearPattern(pattern));
  } catch (error) {
    if (error instanceof PatternError) return null;
    throw error;
  }
}
