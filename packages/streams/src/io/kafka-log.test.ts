import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { type KafkaNotice, logCreator } from "./kafka-log.ts";

const { logLevel } = kafkajs;

function entry(level: number, message: string, fields: object = {}) {
  const log = { timestamp: "2026-01-01T00:00:00.000Z", logger: "kafkajs", message, ...fields };
  return { namespace: "ConsumerGroup", level, label: "", log };
}

test("kafkajs's lines about what is repeated anyway are for debugging; what nobody expects is a warning", () => {
  const log = keptLog();
  const write = logCreator(log)();
  write(entry(logLevel.ERROR, "Connection error: connect ECONNREFUSED 127.0.0.1:9092"));
  write(entry(logLevel.WARN, "The group is rebalancing, re-joining"));
  write(entry(logLevel.WARN, "Consumer group received unsubscribed topics", { topicsNotSubscribed: ["x"] }));
  expect(log.lines).toEqual([
    {
      level: "warn",
      message: "Consumer group received unsubscribed topics",
      fields: expect.objectContaining({ part: "kafkajs/ConsumerGroup", topicsNotSubscribed: ["x"] }),
    },
  ]);
});

test("an offset out of range is noticed, which kafkajs tells in no other way", () => {
  const notices: KafkaNotice[] = [];
  const write = logCreator(keptLog(), (notice) => void notices.push(notice))();
  const message = "Offset out of range, resetting to default offset";
  write(entry(logLevel.ERROR, message, { topic: "sensor", partition: 2, groupId: "g" }));
  write(entry(logLevel.ERROR, message));
  expect(notices).toEqual([{ kind: "offset-out-of-range", topic: "sensor", partition: 2 }]);
});
