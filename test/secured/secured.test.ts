/** Services on an Apache Kafka with TLS, client certificates and SASL; and what they say where it does not let them in. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { followTopic, type RunningService, startService, uniqueName, waitFor } from "@kelvin/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePorts } from "../../tools/kafka/ports.ts";
import { DASHBOARD, PROCESSOR, PRODUCER, readingsOf } from "../support/index.ts";
import { PASSWORD, type SecuredKafka, startSecuredKafka, USER } from "./secured-kafka.ts";

const isThere = (command: string): boolean => spawnSync(command, ["-version"]).error === undefined;
const isMissing = !["java", "mvn", "openssl"].every(isThere);

let kafka: SecuredKafka;
beforeAll(async () => {
  if (isMissing) return;
  kafka = await startSecuredKafka();
}, 120_000);
afterAll(async () => {
  await kafka?.[Symbol.asyncDispose]();
});

type Env = Readonly<Record<string, string>>;

const withPassword = (mechanism = "scram-sha-512", password = PASSWORD): Env => ({
  KAFKA_BROKERS: kafka.sasl,
  KAFKA_SSL: "true",
  KAFKA_SSL_CA: kafka.certificates.authority,
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: USER,
  KAFKA_SASL_PASSWORD: password,
});
const withCertificate = (): Env => ({
  KAFKA_BROKERS: kafka.tls,
  KAFKA_SSL: "true",
  KAFKA_SSL_CA: kafka.certificates.authority,
  KAFKA_SSL_CERT: kafka.certificates.clientCert,
  KAFKA_SSL_KEY: kafka.certificates.clientKeyEncrypted,
  KAFKA_SSL_KEY_PASSWORD: kafka.certificates.keyPassword,
});
const without = (env: Env, ...names: string[]): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));

/** Nothing secret, in any of the forms in which it travels, however much is logged. */
function expectNoSecrets(log: string): void {
  const key = readFileSync(kafka.certificates.clientKey, "utf8").split("\n")[1] ?? "?";
  const plainAuth = Buffer.from(`\0${USER}\0${PASSWORD}`).toString("base64");
  const asBytes = JSON.stringify([...Buffer.from(PASSWORD)]).slice(1, -1);
  for (const secret of [PASSWORD, kafka.certificates.keyPassword, key, plainAuth, asBytes, "PRIVATE KEY"]) {
    expect(log).not.toContain(secret);
  }
}

/** What an operator reads of it: at level info and above. */
function linesAbout(service: RunningService, said: RegExp): string[] {
  const lines = service.log().split("\n");
  return lines.filter((line) => said.test(line) && !line.includes('"level":"debug"'));
}

function start(main: string, env: Env): RunningService {
  const name = uniqueName("secured");
  const topics = { SENSOR_TOPIC: `${name}.sensor`, ALERT_TOPIC: `${name}.alert`, KPI_TOPIC: `${name}.kpi` };
  return startService({ main, env: { LOG_LEVEL: "debug", GROUP_PREFIX: name, ...topics, ...env } });
}

describe.skipIf(isMissing)("accepted (skipped without Java, Maven, openssl)", { timeout: 60_000 }, () => {
  test.each([
    ["SASL plain", () => withPassword("plain")],
    ["SCRAM-SHA-256", () => withPassword("scram-sha-256")],
    ["SCRAM-SHA-512", () => withPassword("scram-sha-512")],
    ["a client certificate", withCertificate],
  ])("by %s: readings arrive, and no secret is in the log", async (_, settings) => {
    const topic = uniqueName("secured.sensor");
    await using producer = start(PRODUCER, { ...settings(), SENSOR_TOPIC: topic, INTERVAL_MS: "50" });
    await producer.ready();
    await using sensor = await followTopic([kafka.plain], topic);
    await waitFor("readings", async () => readingsOf(await sensor.toEnd()).length >= 3);
    expect((await producer.stop()).code).toBe(0);
    expectNoSecrets(producer.log());
  });

  test("by a client certificate: a pipeline reads and writes", async () => {
    await using processor = start(PROCESSOR, { ...withCertificate(), PIPELINES: "alert" });
    await processor.ready();
    expect((await processor.stop()).code).toBe(0);
    expectNoSecrets(processor.log());
  });
});

describe.skipIf(isMissing)("refused (skipped without Java, Maven, openssl)", { timeout: 60_000 }, () => {
  const kept: [what: string, settings: () => Env, said: RegExp][] = [
    [
      "a wrong password",
      () => withPassword("scram-sha-512", `not-${PASSWORD}`),
      /[Aa]uthentication failed.*Check the mechanism, user name and password.*KAFKA_SASL_PASSWORD/,
    ],
    ["a wrong password, plain", () => withPassword("plain", `not-${PASSWORD}`), /KAFKA_SASL_PASSWORD/],
    [
      "a broker's certificate from an unknown CA",
      () => ({ ...withPassword(), KAFKA_SSL_CA: kafka.certificates.stranger }),
      /Set the CA that signed.*KAFKA_SSL_CA/,
    ],
    [
      "a broker's certificate for another host name",
      () => ({ ...withPassword(), KAFKA_BROKERS: kafka.byAddress }),
      /certificate doesn't match its host name.*KAFKA_BROKERS/,
    ],
    [
      "no client certificate",
      () => without(withCertificate(), "KAFKA_SSL_CERT", "KAFKA_SSL_KEY", "KAFKA_SSL_KEY_PASSWORD"),
      /requires a client certificate.*KAFKA_SSL_CERT/,
    ],
  ];

  test.each(kept)(
    "because of %s: one line says what to do, and the service exits with 1",
    async (_, settings, said) => {
      await using producer = start(PRODUCER, settings());
      expect(await producer.ended).toEqual({ code: 1, signal: null });
      const [fatal = "", ...more] = linesAbout(producer, said);
      expect(more).toEqual([]);
      expect(fatal).toContain('"level":"fatal"');
      expect(fatal).not.toContain('"stack"');
      expectNoSecrets(producer.log());
    },
  );

  test.each([
    ["stream processor", PROCESSOR],
    ["dashboard", DASHBOARD],
  ])("the %s, because of a wrong password: one line, and exit code 1", async (_, main) => {
    await using service = start(main, withPassword("scram-sha-512", `not-${PASSWORD}`));
    expect(await service.ended).toEqual({ code: 1, signal: null });
    expect(linesAbout(service, /Check the mechanism, user name and password/)).toHaveLength(1);
    expectNoSecrets(service.log());
  });

  test("because of a wrong password, set to retry: it waits, and logs why once", async () => {
    const settings = { ...withPassword("scram-sha-512", "wrong"), KAFKA_WHEN_REFUSED: "retry" };
    for (const [main, more] of [
      [PROCESSOR, { PIPELINES: "alert" }],
      [DASHBOARD, {}],
    ] as const) {
      await using service = start(main, { ...settings, ...more });
      await service.lineMatching(/"level":"warn".*KAFKA_SASL_PASSWORD/);
      const tries = () => service.log().match(/"part":"kafkajs\/SaslAuthenticator/g) ?? [];
      await waitFor("more tries", () => tries().length > 3);
      expect((await service.stop()).code).toBe(0);
      const [line = "", ...others] = linesAbout(service, /KAFKA_SASL_PASSWORD/);
      expect(others).toEqual([]);
      expect(line).toContain("Kafka refused the connection; retrying");
    }
  });

  test("nobody answers: the service waits for an unreachable broker or exits, depending on the setting", async () => {
    const [port = 0] = await freePorts(1);
    const settings = { KAFKA_BROKERS: `localhost:${port}`, LOG_LEVEL: "info" };
    await using waiting = start(PROCESSOR, { ...settings, PIPELINES: "alert" });
    await using ending = start(PROCESSOR, {
      ...settings,
      PIPELINES: "alert",
      KAFKA_WHEN_UNREACHABLE: "exit",
    });
    expect(await waiting.lineMatching(/unreachable/)).toMatch(/Check that the broker is running/);
    expect(await ending.ended).toEqual({ code: 1, signal: null });
    expect(ending.log()).toMatch(/Check that the broker is running, that KAFKA_BROKERS is right/);
    expect((await waiting.stop()).code).toBe(0);
  });
});
