/** Where Kafka is and how to get in: settings that every service shares. Knows no Kafka client. */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { reasonOf } from "./errors.ts";
import { flag, list } from "./settings.ts";

const BROKER = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):(\d{1,5})$/;

const Brokers = list().superRefine((brokers, context) => {
  for (const broker of brokers) {
    const port = Number(BROKER.exec(broker)?.[2] ?? 0);
    if (port < 1 || port > 65_535) {
      context.addIssue(`"${broker}" is not host:port, as in localhost:9092 or [::1]:9092`);
    }
  }
});

/** The variables by themselves; `kafkaSettings` also checks what they mean together. */
const Variables = z.object({
  /** Addresses to begin with, separated by commas; the cluster tells the others. Kafka's `bootstrap.servers`. */
  KAFKA_BROKERS: Brokers.default(["localhost:9092"]),
  /** Encrypt the connection with TLS. */
  KAFKA_SSL: flag().default(false),
  /** A PEM file of the authorities to trust, in place of the system's. */
  KAFKA_SSL_CA: z.string().optional(),
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
type Variables = z.output<typeof Variables>;

/** The zod schema of the `KAFKA_*` variables, combinations included. */
export const kafkaSettings = Variables.superRefine((settings, context) => {
  for (const [name, message] of wrongCombinations(settings))
    context.addIssue({ code: "custom", path: [name], message });
}).transform((settings, context) => {
  const { KAFKA_SSL_CA: file, ...rest } = settings;
  if (file === undefined) return { ...rest, KAFKA_SSL_CA: undefined };
  try {
    return { ...rest, KAFKA_SSL_CA: { file, pem: readFileSync(file, "utf8") } };
  } catch (error) {
    context.addIssue({
      code: "custom",
      path: ["KAFKA_SSL_CA"],
      message: `can't be read: ${reasonOf(error)}`,
    });
    return z.NEVER;
  }
});
export type KafkaSettings = z.output<typeof kafkaSettings>;

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
    ...(settings.KAFKA_SSL ? { ssl: authority === undefined ? true : { ca: [authority.pem] } } : {}),
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

function wrongCombinations(settings: Variables): [name: keyof Variables, message: string][] {
  const problems: [keyof Variables, string][] = [];
  const { KAFKA_SASL_MECHANISM: mechanism } = settings;
  for (const name of ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"] as const) {
    if (mechanism !== undefined && settings[name] === undefined) {
      problems.push([name, "is needed because KAFKA_SASL_MECHANISM is set"]);
    }
    if (mechanism === undefined && settings[name] !== undefined) {
      problems.push([name, "has no effect without KAFKA_SASL_MECHANISM"]);
    }
  }
  if (settings.KAFKA_SSL_CA !== undefined && !settings.KAFKA_SSL) {
    problems.push(["KAFKA_SSL_CA", "has no effect without KAFKA_SSL=true"]);
  }
  return problems;
}
