/**
 * kafkajs's log lines, turned into ours at levels that fit an operator.
 *
 * kafkajs says at error level what is retried a moment later, many times a second while a broker is away. The parts of
 * this library say by themselves when a broker is lost and when it is back, once each; so kafkajs's lines are for
 * debugging, except where they tell of something that nobody else would.
 */
import kafkajs, { type LogEntry } from "kafkajs";
import type { Log } from "../ports.ts";

/** Something that kafkajs tells only by a log line. */
export type KafkaNotice = {
  readonly kind: "offset-out-of-range";
  readonly topic: string;
  readonly partition: number;
};

export function logCreator(log: Log, onNotice?: (notice: KafkaNotice) => void) {
  return () =>
    ({ namespace, level, log: { timestamp: _timestamp, message, stack: _stack, ...fields } }: LogEntry) => {
      const notice = noticeIn(message, fields);
      if (notice !== undefined) onNotice?.(notice);
      const line = { part: `kafkajs/${namespace}`, ...fields };
      if (level === kafkajs.logLevel.WARN && !isExpected(message)) log.warn(line, message);
      else log.debug(line, message);
    };
}

function noticeIn(message: string, fields: Record<string, unknown>): KafkaNotice | undefined {
  const { topic, partition } = fields;
  if (message !== "Offset out of range, resetting to default offset") return undefined;
  if (typeof topic !== "string" || typeof partition !== "number") return undefined;
  return { kind: "offset-out-of-range", topic, partition };
}

const EXPECTED = [
  // Groups of several members rebalance; that is their life.
  /^The group is rebalancing/,
  /resync group$/,
  // The publisher repeats without limit by design, see batching-producer.ts.
  /^Limiting retries for the idempotent producer/,
  /^Response without match/,
];

function isExpected(message: string): boolean {
  return EXPECTED.some((pattern) => pattern.test(message));
}
