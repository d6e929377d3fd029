/** Requests that belong to the coordinator of a group or of a transactional id: any other broker answers error 16. */
import type { Coordinated } from "../cluster/brokers.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { Api, RequestOf, ResponseOf } from "../protocol/schema.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";
import { refusalOf } from "./refusal.ts";

/** Whether the broker that was asked coordinates it. No broker does for an empty key: that is another error. */
export function isCoordinator(
  { cluster, brokerId }: RequestContext,
  kind: Coordinated,
  key: string,
): boolean {
  return key === "" || cluster.brokers.coordinatorOf(kind, key)?.id === brokerId;
}

/**
 * A handler of requests about one group or one transactional id.
 *
 * @param keyOf its name; null where the request is about none after all, and so for any broker.
 */
export function coordinatedHandler<A extends Api>(
  api: A,
  kind: Coordinated,
  keyOf: (request: RequestOf<A>) => string | null,
  handle: (context: RequestContext, request: RequestOf<A>) => ResponseOf<A> | Promise<ResponseOf<A>>,
): Handler {
  return handler(api, (context, request) =>
    isCoordinator(context, kind, keyOf(request) ?? "")
      ? handle(context, request)
      : (refusalOf(api, request, errorCode.notCoordinator, context.apiVersion) as ResponseOf<A>),
  );
}
