/** An Apache Kafka that lets in only who has a password, or a certificate. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApacheKafka } from "../../tools/kafka/apache-kafka.ts";
import { freePorts } from "../../tools/kafka/ports.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";

export const USER = "ada";
export const PASSWORD = "no-one-shall-read-this-81";

export interface SecuredKafka extends AsyncDisposable {
  readonly certificates: Certificates;
  /** TLS, and SASL: plain, scram-sha-256, scram-sha-512. */
  readonly sasl: string;
  /** TLS with a client certificate (`ssl.client.auth=required`). */
  readonly tls: string;
  /** The same port as `sasl`, by an address that the certificate does not name. */
  readonly byAddress: string;
  /** Neither: for the test's own look. */
  readonly plain: string;
}

export async function startSecuredKafka(): Promise<SecuredKafka> {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-secured-"));
  const certificates = await makeCertificates(folder);
  const [plain = 0, controller = 0, sasl = 0, tls = 0] = await freePorts(4);
  const login = "org.apache.kafka.common.security";
  const kafka = await startApacheKafka({
    port: plain,
    formatArguments: ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${USER},password=${PASSWORD}]`,
    ]),
    properties: {
      "controller.quorum.voters": `1@127.0.0.1:${controller}`,
      listeners: `PLAINTEXT://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller},PASSWORD://127.0.0.1:${sasl},CERTIFICATE://127.0.0.1:${tls}`,
      "advertised.listeners": `PLAINTEXT://127.0.0.1:${plain},PASSWORD://localhost:${sasl},CERTIFICATE://localhost:${tls}`,
      "listener.security.protocol.map":
        "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORD:SASL_SSL,CERTIFICATE:SSL",
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": certificates.brokerStore,
      "ssl.truststore.type": "PEM",
      "ssl.truststore.location": certificates.authority,
      "listener.name.certificate.ssl.client.auth": "required",
      "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
      "listener.name.password.plain.sasl.jaas.config": `${login}.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
      "listener.name.password.scram-sha-256.sasl.jaas.config": `${login}.scram.ScramLoginModule required;`,
      "listener.name.password.scram-sha-512.sasl.jaas.config": `${login}.scram.ScramLoginModule required;`,
    },
  });
  return {
    certificates,
    sasl: `localhost:${sasl}`,
    tls: `localhost:${tls}`,
    byAddress: `127.0.0.1:${sasl}`,
    plain: `127.0.0.1:${plain}`,
    async [Symbol.asyncDispose]() {
      await kafka.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
