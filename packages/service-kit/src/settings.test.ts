import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { SettingsError } from "./errors.ts";
import { kafkaConnection, kafkaSettings } from "./kafka.ts";
import { decimal, type Environment, flag, integer, list, port, readSettings } from "./settings.ts";

const None = z.object({});

function problemsOf(environment: Environment, schema: z.ZodType<object>): readonly string[] {
  try {
    readSettings(environment, None, schema);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

function kafka(environment: Environment) {
  return kafkaConnection(readSettings(environment, kafkaSettings, None));
}

describe("a value", () => {
  test("an integer setting takes exactly the whole numbers of its range", () => {
    const schema = z.object({ N: integer({ min: -5, max: 70_000 }) });
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 100_000 }), (n) => {
        expect(problemsOf({ N: String(n) }, schema).length === 0).toBe(n >= -5 && n <= 70_000);
      }),
    );
  });

  test.each(["1.5", "x", "0x10", "1e3", "١", "9".repeat(400)])("%s is no integer", (text) => {
    expect(problemsOf({ N: text }, z.object({ N: integer({ min: 0, max: 10_000 }) }))).toEqual([
      `N=${text}: must be a whole number from 0 to 10000`,
    ]);
  });

  test("decimals, flags, lists and ports are read as people write them", () => {
    const schema = z.object({
      A: decimal({ min: -100, max: 100 }),
      B: flag(),
      C: list(),
      D: port(),
      E: decimal({ min: 0, max: 1 }),
    });
    const given = { A: "-2.5e1", B: "Yes", C: " a, b,,c ", D: " 9092 ", E: ".5" };
    expect(readSettings(given, None, schema)).toEqual({
      A: -25,
      B: true,
      C: ["a", "b", "c"],
      D: 9092,
      E: 0.5,
    });
  });

  test("infinity is no number", () => {
    expect(problemsOf({ A: "1e999" }, z.object({ A: decimal({ min: 0, max: 10 }) }))).toHaveLength(1);
  });

  test("an empty variable is an unset one", () => {
    const schema = z.object({ N: integer({ min: 0, max: 10 }).default(7) });
    expect(readSettings({ N: "" }, None, schema)).toEqual({ N: 7 });
    expect(readSettings({ N: "  " }, None, schema)).toEqual({ N: 7 });
  });
});

describe("problems", () => {
  test("of all schemas, and of combinations, are told at once, each with its variable and value", () => {
    const own = z.object({ N: integer({ min: 1, max: 9 }), M: integer({ min: 0, max: 9 }) });
    const environment = {
      N: "0",
      M: "1",
      KAFKA_BROKERS: "here,there:1,[::1]:99999",
      KAFKA_SASL_USERNAME: "ada",
    };
    expect(() => readSettings(environment, kafkaSettings, own)).toThrow(SettingsError);
    try {
      readSettings(environment, kafkaSettings, own);
    } catch (error) {
      expect(error instanceof SettingsError && error.problems).toEqual([
        'KAFKA_BROKERS=here,there:1,[::1]:99999: "here" is not host:port, as in localhost:9092 or [::1]:9092',
        'KAFKA_BROKERS=here,there:1,[::1]:99999: "[::1]:99999" is not host:port, as in localhost:9092 or [::1]:9092',
        "KAFKA_SASL_USERNAME=ada: has no effect without KAFKA_SASL_MECHANISM",
        "N=0: must be a whole number from 1 to 9",
      ]);
      expect(error instanceof SettingsError && error.exitCode).toBe(2);
    }
  });

  test("never repeat a secret", () => {
    const problems = problemsOf({ KAFKA_SASL_PASSWORD: "hush" }, kafkaSettings);
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain("hush");
  });
});

describe("the connection to Kafka", () => {
  test("is plain localhost:9092 by default", () => {
    expect(kafka({})).toEqual({ brokers: ["localhost:9092"] });
  });

  test("takes several brokers, TLS with an authority, and SASL", () => {
    const file = join(mkdtempSync(join(tmpdir(), "kelvin-")), "ca.pem");
    writeFileSync(file, "a certificate");
    const environment = {
      KAFKA_BROKERS: "a.example:9093, [2001:db8::1]:9093",
      KAFKA_SSL: "true",
      KAFKA_SSL_CA: file,
      KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
      KAFKA_SASL_USERNAME: "ada",
      KAFKA_SASL_PASSWORD: "secret",
    };
    expect(kafka(environment)).toEqual({
      brokers: ["a.example:9093", "[2001:db8::1]:9093"],
      ssl: { ca: ["a certificate"] },
      sasl: { mechanism: "scram-sha-512", username: "ada", password: "secret" },
    });
  });

  test("takes a name of its own, and what to do where Kafka is not to be had", () => {
    const environment = {
      KAFKA_CLIENT_ID: "plant-7",
      KAFKA_WHEN_REFUSED: "retry",
      KAFKA_WHEN_UNREACHABLE: "exit",
    };
    expect(kafka(environment)).toEqual({
      brokers: ["localhost:9092"],
      clientId: "plant-7",
      whenRefused: "retry",
      whenUnreachable: "fail",
    });
  });

  test("wants a client certificate whole: with its key, and TLS, and a key that fits", () => {
    const file = join(mkdtempSync(join(tmpdir(), "kelvin-")), "no.pem");
    writeFileSync(file, "no certificate");
    const alone = problemsOf({ KAFKA_SSL: "true", KAFKA_SSL_CERT: file }, kafkaSettings);
    expect(alone).toEqual(["KAFKA_SSL_KEY: is needed because KAFKA_SSL_CERT is set"]);
    const given = { KAFKA_SSL_CERT: file, KAFKA_SSL_KEY: file, KAFKA_SSL_KEY_PASSWORD: "hush" };
    expect(problemsOf(given, kafkaSettings)).toEqual([
      `KAFKA_SSL_CERT=${file}: has no effect without KAFKA_SSL=true`,
      `KAFKA_SSL_KEY=${file}: has no effect without KAFKA_SSL=true`,
      "KAFKA_SSL_KEY_PASSWORD: has no effect without KAFKA_SSL=true",
      expect.stringMatching(/KAFKA_SSL_KEY=.*: is not the key of the certificate in KAFKA_SSL_CERT/),
    ]);
  });

  test("needs name and password with a mechanism, TLS with an authority, and an authority that is there", () => {
    expect(
      problemsOf({ KAFKA_SASL_MECHANISM: "plain", KAFKA_SSL_CA: "/none/here.pem" }, kafkaSettings),
    ).toEqual([
      expect.stringMatching(/^KAFKA_SSL_CA=\/none\/here.pem: can't be read: ENOENT/),
      "KAFKA_SASL_USERNAME: is needed because KAFKA_SASL_MECHANISM is set",
      "KAFKA_SASL_PASSWORD: is needed because KAFKA_SASL_MECHANISM is set",
      "KAFKA_SSL_CA=/none/here.pem: has no effect without KAFKA_SSL=true",
    ]);
    expect(problemsOf({ KAFKA_SASL_MECHANISM: "oauth" }, kafkaSettings)[0]).toMatch(/must be plain, scram/);
  });
});

test("what topics are made with comes from the settings, and by default from the schema and the brokers", () => {
  expect(kafka({}).newTopics).toBeUndefined();
  expect(
    kafka({
      KAFKA_TOPIC_PARTITIONS: "12",
      KAFKA_REPLICATION_FACTOR: "3",
      KAFKA_TOPIC_RETENTION_HOURS: "0.5",
    }).newTopics,
  ).toEqual({ partitions: 12, replicationFactor: 3, retentionMs: 1_800_000 });
  const wrong = {
    KAFKA_TOPIC_PARTITIONS: "0",
    KAFKA_REPLICATION_FACTOR: "-1",
    KAFKA_TOPIC_RETENTION_HOURS: "0",
  };
  expect(problemsOf(wrong, kafkaSettings)).toHaveLength(3);
});
