/** What tests of this package share beside @kelvin/test-kit: a Kafka as the library is told of it, and a log to look into. */
import { kafkaForTests as anyKafkaForTests, waitFor } from "@kelvin/test-kit";
import type { KafkaConnection, Log } from "../src/index.ts";

export { uniqueName } from "@kelvin/test-kit";

export interface TestKafka extends AsyncDisposable {
  readonly kafka: KafkaConnection;
}

/** The cluster that KAFKA_BROKERS names, else an embedded broker for the asker alone. */
export async function kafkaForTests(): Promise<TestKafka> {
  const { brokers, stop } = await anyKafkaForTests();
  return { kafka: { brokers }, [Symbol.asyncDispose]: stop };
}

export interface KeptLog extends Log {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[];
  has(message: string): boolean;
}

/** A log that a test can look into; with STREAMS_TEST_LOG set it is printed as well. */
export function keptLog(): KeptLog {
  const lines: KeptLog["lines"] = [];
  const keep = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields });
    if (process.env["STREAMS_TEST_LOG"])
      process.stderr.write(`${level} ${message} ${JSON.stringify(fields)}\n`);
  };
  const has = (message: string) => lines.some((line) => line.message.includes(message));
  return { lines, has, debug: () => undefined, info: keep("info"), warn: keep("warn"), error: keep("error") };
}

/** Asks until the answer is true. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  await waitFor(what, condition, { timeoutMs });
}
