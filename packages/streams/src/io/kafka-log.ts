/**
 * kafkajs's log lines, turned into ours at levels that fit an operator.
 *
 * kafkajs logs at error level what it retries a moment later, many times a second while a broker is unreachable. This
 * library logs once when a broker is lost and once when it is back; so kafkajs's lines are for debugging, except for what
 * nothing else reports.
 */
import kafkajs, { type LogEntry } from "kafkajs";
import type { Log } from "../ports.ts";

/** Something that kafkajs reports only as a log line. */
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
  // Groups of several members rebalance; that is normal.
  /^The group is rebalancing/,
  /resync group$/,
  // The publisher repeats without limit by design, see batching-producer.ts.
  /^Limiting retries for the idempotent producer/,
  /^Response without match/,
];

function isExpected(message: string): boolean {
  return EXPECTED.some((pattern) => pattern.test(message));
}
