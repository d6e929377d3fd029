/** The one place that makes kafkajs clients: their timeouts, their log, their codecs. */
import kafkajs, { type Kafka, type RetryOptions, type SASLOptions } from "kafkajs";
import type { KafkaConnection, Log } from "../ports.ts";
import { mendAbortedRecords } from "./aborted-records.ts";
import { keepPolicy } from "./access.ts";
import { registerCodecs } from "./codecs.ts";
import { mendCoordinatorLookups } from "./coordinator-lookups.ts";
import { mendIdleTimer } from "./idle-timer.ts";
import { type KafkaNotice, logCreator } from "./kafka-log.ts";
import { mendPausedFetch } from "./paused-fetch.ts";
import { mendProduceRequests } from "./produce-requests.ts";

/**
 * kafkajs's own retries are kept short: callers retry by their own rules, and an operator can see since when the
 * broker is unreachable. Kafka's `retry.backoff.ms` and `retries`.
 */
const RETRY = { initialRetryTime: 50, maxRetryTime: 500, multiplier: 2, factor: 0.2, retries: 3 };

/** Milliseconds. Kafka's `metadata.max.age.ms`: how late a new partition or a moved leader may be noticed. */
export const METADATA_MAX_AGE_MS = 5_000;

export interface ClientOptions {
  readonly kafka: KafkaConnection;
  readonly log: Log;
  readonly clientId?: string;
  /** Receives what kafkajs reports only in its log. */
  readonly onNotice?: (notice: KafkaNotice) => void;
  /** Replace the defaults here. */
  readonly retry?: RetryOptions;
}

/**
 * Creates a kafkajs client configured as this library uses it: it logs to `log`, has all codecs, and short timeouts. For
 * what the library doesn't offer, such as kafkajs' admin. Kafka Streams' `KafkaClientSupplier`.
 */
export function createKafka({ kafka, log, clientId, onNotice, retry }: ClientOptions): Kafka {
  mendIdleTimer();
  mendAbortedRecords();
  mendPausedFetch();
  mendCoordinatorLookups();
  mendProduceRequests();
  registerCodecs();
  const client = new kafkajs.Kafka({
    brokers: [...kafka.brokers],
    clientId: kafka.clientId ?? clientId ?? "kelvin",
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { ...RETRY, ...retry },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: logCreator(log, onNotice),
    ...(kafka.ssl === undefined ? {} : { ssl: sslOf(kafka.ssl) }),
    ...(kafka.sasl === undefined ? {} : { sasl: saslOf(kafka.sasl) }),
  });
  keepPolicy(client, kafka);
  return client;
}

function sslOf(ssl: NonNullable<KafkaConnection["ssl"]>) {
  if (typeof ssl === "boolean") return ssl;
  const { ca, ...own } = ssl;
  return { ...own, ...(ca === undefined ? {} : { ca: [...ca] }) };
}

function saslOf({ mechanism, username, password }: NonNullable<KafkaConnection["sasl"]>): SASLOptions {
  switch (mechanism) {
    case "plain":
      return { mechanism, username, password };
    case "scram-sha-256":
      return { mechanism, username, password };
    case "scram-sha-512":
      return { mechanism, username, password };
  }
}
