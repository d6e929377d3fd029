/** Where Kafka is and how to get in: settings that every service shares. Knows no Kafka client. */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { reasonOf } from "./errors.ts";
import { type Environment, flag, list } from "./settings.ts";

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
  KAFKA_SASL_MECHANISM: z
    .string()
    .toLowerCase()
    .pipe(
      z.enum(["plain", "scram-sha-256", "scram-sha-512"], "must be plain, scram-sha-256 or scram-sha-512"),
    )
    .optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
});

/** What the variables mean together, looked at on its own so that its problems are told beside all others. */
const Combinations = z
  .record(z.string(), z.string())
  .superRefine((given, context) => {
    for (const [name, message] of wrongCombinations(given)) {
      context.addIssue({ code: "custom", path: [name], message });
    }
  })
  .transform(() => ({}));

/** The zod schema of the `KAFKA_*` variables, combinations included. */
export const kafkaSettings = z.intersection(Variables, Combinations);
export type KafkaSettings = z.output<typeof Variables>;

/** How to reach a Kafka cluster, in plain values. */
export interface KafkaConnection {
  brokers: string[];
  clientId?: string;
  ssl?: boolean | { ca: string[] };
  sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password: string };
}

/** The connection that the settings describe. */
export function kafkaConnection(settings: KafkaSettings, clientId?: string): KafkaConnection {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SSL_CA: authority } = settings;
  return {
    brokers: settings.KAFKA_BROKERS,
    ...(clientId === undefined ? {} : { clientId }),
    ...(settings.KAFKA_SSL ? { ssl: authority === undefined ? true : { ca: [authority] } } : {}),
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
  if (given.KAFKA_SSL_CA !== undefined && !flag().safeParse(given.KAFKA_SSL).data) {
    problems.push(["KAFKA_SSL_CA", "has no effect without KAFKA_SSL=true"]);
  }
  return problems;
}
