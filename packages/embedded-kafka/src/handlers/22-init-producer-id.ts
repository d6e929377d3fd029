/** InitProducerId, versions 0 to 5, for idempotent producers. With a transactional id: refused, no transactions yet. */
import { errorCode } from "../protocol/error-codes.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { handler } from "./handler.ts";

export const initProducerIdHandler = handler(initProducerId, ({ cluster }, { transactionalId }) => {
  if (transactionalId !== null) {
    const code = transactionalId === "" ? errorCode.invalidRequest : errorCode.unsupportedVersion;
    return { errorCode: code, producerId: -1, producerEpoch: -1 };
  }
  return { errorCode: errorCode.none, producerId: cluster.newProducerId(), producerEpoch: 0 };
});
