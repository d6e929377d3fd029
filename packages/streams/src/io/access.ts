/** What keeps us out of a cluster, told so that a person knows what to change; and whether to try again. */
import type { Kafka } from "kafkajs";
import type { KafkaConnection } from "../ports.ts";
import { causes, hasErrorName, isBrokerAway, isRefusal } from "./kafka-errors.ts";

/** Node's codes, from OpenSSL, for a broker's certificate that leads to no authority we trust. */
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

/** Whether TLS failed for a certificate: no repetition mends it. */
export function isCertificateTrouble(error: unknown): boolean {
  return certificateAdvice(error) !== undefined;
}

function certificateAdvice(error: unknown): string | undefined {
  for (const code of codesOf(error)) {
    if (UNTRUSTED.has(code))
      return "Give the authority that signed the broker's certificate (ssl.ca; KAFKA_SSL_CA), and don't trust it unseen.";
    if (EXPIRED.has(code)) return "The broker's certificate is out of its dates: renew it, or set the clock.";
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
      return "The broker's certificate is for another name: use the name it was made for (KAFKA_BROKERS).";
    if (OURS_REFUSED.test(code))
      return "The broker wants a client certificate that it trusts (ssl.cert and ssl.key; KAFKA_SSL_CERT and KAFKA_SSL_KEY).";
  }
  return undefined;
}

/** What a person can do about an error on the way into the cluster; undefined where nothing is known. */
export function adviceOn(error: unknown): string | undefined {
  const certificate = certificateAdvice(error);
  if (certificate !== undefined) return certificate;
  if (hasErrorName(error, "KafkaJSSASLAuthenticationError"))
    return "Check mechanism, user name and password (sasl; KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD).";
  if (codesOf(error).some((code) => NO_TLS.has(code)))
    return "The port does not speak TLS: take the secured listener's port (KAFKA_BROKERS), or switch TLS off (KAFKA_SSL).";
  if (isBrokerAway(error))
    return "Is it running, is the address right (KAFKA_BROKERS), and do TLS (KAFKA_SSL) and SASL (KAFKA_SASL_MECHANISM) fit its listener?";
  return undefined;
}

/** The error in one line, with what to do about it. */
export function explained(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const advice = adviceOn(error);
  return advice === undefined ? message : `${message.replace(/[.\s]+$/, "")}. ${advice}`;
}

const policies = new WeakMap<Kafka, Pick<KafkaConnection, "whenRefused" | "whenUnreachable">>();

/** Notes what a client's connection says about trouble, for `isFinal`. */
export function keepPolicy(client: Kafka, connection: KafkaConnection): void {
  policies.set(client, connection);
}

/** Whether the error ends the work of this client, rather than being tried again. */
export function isFinal(client: Kafka, error: unknown): boolean {
  const { whenRefused = "fail", whenUnreachable = "retry" } = policies.get(client) ?? {};
  if (isAccessRefusal(error)) return whenRefused === "fail";
  if (isRefusal(error)) return true;
  return whenUnreachable === "fail" && isBrokerAway(error);
}

/** Whether the cluster does not let us in: credentials or certificates, which somebody may put right meanwhile. */
export function isAccessRefusal(error: unknown): boolean {
  return isCertificateTrouble(error) || hasErrorName(error, "KafkaJSSASLAuthenticationError");
}

const REFUSED_RETRY_MS_MAX = 30_000;

/** The longest wait before the next try: a refusal that is tried too often locks accounts. */
export function longestWaitMs(error: unknown, otherwiseMs: number): number {
  return isAccessRefusal(error) ? REFUSED_RETRY_MS_MAX : otherwiseMs;
}
