/** Why a cluster refuses a connection, in words that say what to change; and whether to retry. */
import type { Kafka } from "kafkajs";
import type { KafkaConnection } from "../ports.ts";
import { causes, hasErrorName, isBrokerAway, isRefusal } from "./kafka-errors.ts";

/** Node's codes, from OpenSSL, for a broker's certificate whose CA is not trusted. */
const UNTRUSTED = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
]);

const EXPIRED = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);

/** The alerts of TLS (RFC 8446, section 6.2) by which a broker turns down the certificate that it asked us for. */
const OURS_REFUSED =
  /^ERR_SSL_.*ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(REVOKED|EXPIRED|UNKNOWN)|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)$/;

const NO_TLS = new Set(["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG", "EPROTO"]);

/** OpenSSL's and the system's codes in an error and its causes. */
function codesOf(error: unknown): string[] {
  return [...causes(error)].flatMap(({ code }) => (typeof code === "string" ? [code] : []));
}

/** Whether TLS failed because of a certificate, which retrying doesn't fix. */
export function isCertificateTrouble(error: unknown): boolean {
  return certificateAdvice(error) !== undefined;
}

function certificateAdvice(error: unknown): string | undefined {
  for (const code of codesOf(error)) {
    if (UNTRUSTED.has(code))
      return "Set the CA that signed the broker's certificate (ssl.ca; KAFKA_SSL_CA); don't turn verification off.";
    if (EXPIRED.has(code))
      return "The broker's certificate has expired or is not yet valid: renew it, or set the clock.";
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
      return "The broker's certificate doesn't match its host name: use a name that is in it (KAFKA_BROKERS).";
    if (OURS_REFUSED.test(code))
      return "The broker requires a client certificate that it trusts (ssl.cert and ssl.key; KAFKA_SSL_CERT and KAFKA_SSL_KEY).";
  }
  return undefined;
}

/** What to do about an error while connecting to the cluster; undefined if nothing is known. */
export function adviceOn(error: unknown): string | undefined {
  const certificate = certificateAdvice(error);
  if (certificate !== undefined) return certificate;
  if (hasErrorName(error, "KafkaJSSASLAuthenticationError"))
    return "Check the mechanism, user name and password (sasl; KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD).";
  if (codesOf(error).some((code) => NO_TLS.has(code)))
    return "The port does not speak TLS: use the TLS listener's port (KAFKA_BROKERS), or turn TLS off (KAFKA_SSL).";
  if (isBrokerAway(error))
    return "Check that the broker is running, that KAFKA_BROKERS is right, and that KAFKA_SSL and KAFKA_SASL_MECHANISM match its listener.";
  return undefined;
}

/** The error in one line, with what to do about it. */
export function explained(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const advice = adviceOn(error);
  return advice === undefined ? message : `${message.replace(/[.\s]+$/, "")}. ${advice}`;
}

const policies = new WeakMap<Kafka, Pick<KafkaConnection, "whenRefused" | "whenUnreachable">>();

/** Notes how a client handles refusals and outages, for `isFinal`. */
export function keepPolicy(client: Kafka, connection: KafkaConnection): void {
  policies.set(client, connection);
}

/** Whether the error is final for this client, rather than retried. */
export function isFinal(client: Kafka, error: unknown): boolean {
  const { whenRefused = "fail", whenUnreachable = "retry" } = policies.get(client) ?? {};
  if (isAccessRefusal(error)) return whenRefused === "fail";
  if (isRefusal(error)) return true;
  return whenUnreachable === "fail" && isBrokerAway(error);
}

/** Whether the cluster refuses our credentials or certificates, which somebody may correct meanwhile. */
export function isAccessRefusal(error: unknown): boolean {
  return isCertificateTrouble(error) || hasErrorName(error, "KafkaJSSASLAuthenticationError");
}

const REFUSED_RETRY_MS_MAX = 30_000;

/** The longest wait before the next attempt: too many refused attempts lock accounts. */
export function longestWaitMs(error: unknown, otherwiseMs: number): number {
  return isAccessRefusal(error) ? REFUSED_RETRY_MS_MAX : otherwiseMs;
}
