/** A Kafka for tests: the cluster that KAFKA_BROKERS names, else an embedded broker for the asker alone. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { startBroker } from "@kelvin/embedded-kafka";
import type { KafkaConnection, Log } from "../src/index.ts";

export interface TestKafka extends AsyncDisposable {
  readonly kafka: KafkaConnection;
}

export async function kafkaForTests(): Promise<TestKafka> {
  const named = process.env["KAFKA_BROKERS"] ?? "";
  if (named !== "") return { kafka: { brokers: named.split(",") }, [Symbol.asyncDispose]: async () => {} };
  const broker = await startBroker({ port: 0 });
  return { kafka: { brokers: broker.brokers }, [Symbol.asyncDispose]: () => broker.stop() };
}

/** Topics and groups stay on a shared Kafka: each test takes names of its own. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString("hex")}`;
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
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new WaitedInVain(`Waited ${timeoutMs} ms in vain for ${what}.`);
    await sleep(25);
  }
}

class WaitedInVain extends Error {
  override readonly name = "WaitedInVain";
}
