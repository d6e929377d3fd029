/** What the transaction coordinator says, in the words that a version of a request knows. */
import { errorCode } from "../protocol/error-codes.ts";

/** A producer that is fenced is told so from a version on (KIP-588); clients of older ones know error 47 only. */
export function fencedAsOf(version: number, knownSince: number, code: number): number {
  return code === errorCode.producerFenced && version < knownSince ? errorCode.invalidProducerEpoch : code;
}
