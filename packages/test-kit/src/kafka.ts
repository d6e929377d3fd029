import { startBroker } from "@kelvin/embedded-kafka";

/** A cluster that a test may use. */
export interface KafkaForTests extends AsyncDisposable {
  readonly brokers: string[];
  /** The same, as the services' KAFKA_BROKERS wants it. */
  readonly bootstrap: string;
  /** Ends a broker that was started for the asker; leaves another's alone. */
  stop(): Promise<void>;
}

/**
 * The cluster that KAFKA_BROKERS names, else an embedded broker in this process, for the asker alone.
 *
 * In the vitest project "integration" KAFKA_BROKERS is always set: all its tests share one cluster, so they use
 * unique names and never assume that it is empty.
 */
export async function kafkaForTests(): Promise<KafkaForTests> {
  const named = brokersFromEnvironment();
  if (named !== undefined) return asKafka(named, async () => {});
  const broker = await startBroker({ port: 0 });
  return asKafka(broker.brokers, () => broker.stop());
}

/** What KAFKA_BROKERS says, or undefined where it is unset or empty. */
export function brokersFromEnvironment(): string[] | undefined {
  const text = process.env["KAFKA_BROKERS"] ?? "";
  return text === "" ? undefined : text.split(",").map((broker) => broker.trim());
}

const asKafka = (brokers: readonly string[], stop: () => Promise<void>): KafkaForTests => ({
  brokers: [...brokers],
  bootstrap: brokers.join(","),
  stop,
  [Symbol.asyncDispose]: stop,
});
