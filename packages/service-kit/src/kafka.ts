/** Where Kafka is and how to get in: settings that every service shares. Knows no Kafka client. */
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import * as z from "zod";
import { reasonOf } from "./errors.ts";
import { decimal, type Environment, flag, integer, list } from "./settings.ts";

const BROKER = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):(\d{1,5})$/;

const Brokers = list().superRefine((brokers, context) => {
  for (const broker of brokers) {
    const port = Number(BROKER.exec(broker)?.[2] ?? 0);
    if (port < 1 || port > 65_535) {
      context.addIssue(`"${broker}" is not host:port, as in localhost:9092 or [::1]:9092`);
    }
  }
});

const Variables = z.object({
  /** Addresses to begin with, separated by commas; the cluster tells the others. Kafka's `bootstrap.servers`. */
  KAFKA_BROKERS: Brokers.default(["localhost:9092"]),
  /** Encrypt the connection with TLS. */
  KAFKA_SSL: flag().default(false),
  /** A PEM file of the authorities to trust, in place of the system's. Read here: the setting is its content. */
  KAFKA_SSL_CA: z.string().transform(contentOf).optional(),
  /** PEM files of our own certificate, its chain included, and of its key, where the brokers ask for one. */
  KAFKA_SSL_CERT: z.string().transform(contentOf).optional(),
  KAFKA_SSL_KEY: z.string().transform(contentOf).optional(),
  KAFKA_SSL_KEY_PASSWORD: z.string().optional(),
  KAFKA_SASL_MECHANISM: z
    .string()
    .toLowerCase()
    .pipe(
      z.enum(["plain", "scram-sha-256", "scram-sha-512"], "must be plain, scram-sha-256 or scram-sha-512"),
    )
    .optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  /** Kafka's `client.id`, for the brokers' logs and quotas; each service's own name where unset. */
  KAFKA_CLIENT_ID: z.string().max(255).optional(),
  /** Kafka lets us not in (password, certificate): end with an error, or try again, in the end every 30 s. */
  KAFKA_WHEN_REFUSED: z.enum(["exit", "retry"], "must be exit or retry").default("exit"),
  /** No broker answers: wait for one, or end with an error. */
  KAFKA_WHEN_UNREACHABLE: z.enum(["exit", "retry"], "must be exit or retry").default("retry"),
  /** What topics are made with, and compared with; unset: what the schema says, and the brokers' own replication. */
  KAFKA_TOPIC_PARTITIONS: integer({ min: 1, max: 10_000 }).optional(),
  KAFKA_REPLICATION_FACTOR: integer({ min: 1, max: 100 }).optional(),
  KAFKA_TOPIC_RETENTION_HOURS: decimal({ min: 0.01, max: 10 * 365 * 24 }).optional(),
});

/** What the variables mean together, looked at on its own so that its problems are reported with all others. */
const Combinations = z.record(z.string(), z.string()).transform((given, context) => {
  for (const [name, message] of wrongCombinations(given)) {
    context.addIssue({ code: "custom", path: [name], message });
  }
  return {}; // also beside problems: there must be nothing that clashes with what Variables made of the text
});

/** The zod schema of the `KAFKA_*` variables, combinations included. */
export const kafkaSettings = z.intersection(Variables, Combinations);
/** The `KAFKA_*` variables of a service, checked. */
export type KafkaSettings = z.output<typeof Variables>;

/** How to reach a Kafka cluster, in plain values. */
export interface KafkaConnection {
  brokers: string[];
  clientId?: string;
  ssl?: boolean | { ca?: string[]; cert?: string; key?: string; passphrase?: string };
  sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password: string };
  whenRefused?: "fail" | "retry";
  whenUnreachable?: "fail" | "retry";
  newTopics?: { partitions?: number; replicationFactor?: number; retentionMs?: number };
}

/** The connection that the settings describe. */
export function kafkaConnection(settings: KafkaSettings, clientId?: string): KafkaConnection {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_CLIENT_ID: name = clientId } = settings;
  const newTopics = newTopicsOf(settings);
  return {
    brokers: settings.KAFKA_BROKERS,
    ...(name === undefined ? {} : { clientId: name }),
    ...(settings.KAFKA_SSL ? { ssl: sslOf(settings) } : {}),
    ...(settings.KAFKA_WHEN_REFUSED === "retry" ? { whenRefused: "retry" } : {}),
    ...(settings.KAFKA_WHEN_UNREACHABLE === "exit" ? { whenUnreachable: "fail" } : {}),
    ...(newTopics === undefined ? {} : { newTopics }),
    ...(mechanism === undefined
      ? {}
      : {
          sasl: {
            mechanism,
            username: settings.KAFKA_SASL_USERNAME ?? "",
            password: settings.KAFKA_SASL_PASSWORD ?? "",
          },
        }),
  };
}

function newTopicsOf(settings: KafkaSettings): KafkaConnection["newTopics"] {
  const { KAFKA_TOPIC_PARTITIONS: partitions, KAFKA_REPLICATION_FACTOR: replicationFactor } = settings;
  const { KAFKA_TOPIC_RETENTION_HOURS: hours } = settings;
  const rules = {
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(hours === undefined ? {} : { retentionMs: Math.round(hours * 3_600_000) }),
  };
  return Object.keys(rules).length === 0 ? undefined : rules;
}

function sslOf(settings: KafkaSettings): NonNullable<KafkaConnection["ssl"]> {
  const { KAFKA_SSL_CA: authority, KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key } = settings;
  const { KAFKA_SSL_KEY_PASSWORD: passphrase } = settings;
  const own = { ...(cert && { cert }), ...(key && { key }), ...(passphrase && { passphrase }) };
  const ssl = { ...(authority && { ca: [authority] }), ...own };
  return Object.keys(ssl).length === 0 || ssl;
}

function contentOf(file: string, context: z.RefinementCtx): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    context.addIssue({ code: "custom", message: `can't be read: ${reasonOf(error)}` });
    return z.NEVER;
  }
}

function wrongCombinations(given: Environment): [name: string, message: string][] {
  const problems: [string, string][] = [];
  const mechanism = given.KAFKA_SASL_MECHANISM;
  for (const name of ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]) {
    if (mechanism !== undefined && given[name] === undefined) {
      problems.push([name, "is needed because KAFKA_SASL_MECHANISM is set"]);
    }
    if (mechanism === undefined && given[name] !== undefined) {
      problems.push([name, "has no effect without KAFKA_SASL_MECHANISM"]);
    }
  }
  const isSecured = flag().safeParse(given.KAFKA_SSL).data === true;
  for (const name of ["KAFKA_SSL_CA", "KAFKA_SSL_CERT", "KAFKA_SSL_KEY", "KAFKA_SSL_KEY_PASSWORD"]) {
    if (given[name] !== undefined && !isSecured)
      problems.push([name, "has no effect without KAFKA_SSL=true"]);
  }
  const { KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key } = given;
  if (cert !== undefined && key === undefined)
    problems.push(["KAFKA_SSL_KEY", "is needed because KAFKA_SSL_CERT is set"]);
  if (cert === undefined && key !== undefined)
    problems.push(["KAFKA_SSL_CERT", "is needed because KAFKA_SSL_KEY is set"]);
  const unfit = wrongPair(given);
  if (unfit !== undefined) problems.push(["KAFKA_SSL_KEY", unfit]);
  return problems;
}

/** OpenSSL's word on certificate and key, said at the start and not at the first connection. */
function wrongPair(given: Environment): string | undefined {
  const { KAFKA_SSL_CERT: certFile, KAFKA_SSL_KEY: keyFile, KAFKA_SSL_KEY_PASSWORD: passphrase } = given;
  if (certFile === undefined || keyFile === undefined) return undefined;
  let pair: { cert: string; key: string };
  try {
    pair = { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
  } catch {
    return undefined; // told by the variable itself
  }
  try {
    createSecureContext({ ...pair, ...(passphrase && { passphrase }) });
    return undefined;
  } catch (error) {
    return `is not the key of the certificate in KAFKA_SSL_CERT, or KAFKA_SSL_KEY_PASSWORD does not decrypt it: ${reasonOf(error)}`;
  }
}
