import { randomBytes } from "node:crypto";
import { createTopics } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { expect, test, vi } from "vitest";
import type { Log } from "../ports.ts";
import { type GroupLook, type WatchedGroup, watchGroups } from "./group-watch.ts";

const brokers = (process.env["KAFKA_BROKERS"] ?? "").split(",");
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 20_000, interval: 20 });

test("tells who runs a group, where it is, and where its topic ends; of a missing topic nothing", async () => {
  const id = randomBytes(5).toString("hex");
  const watched = { groupId: `group-${id}`, topic: `topic-${id}` };
  const missing = { groupId: `group-${id}`, topic: `missing-${id}` };
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  await createTopics(admin, [{ topic: watched.topic, numPartitions: 2 }]);
  const messages = Array.from({ length: 5 }, (_, i) => ({ value: String(i), partition: i % 2 }));
  await producer.send({ topic: watched.topic, messages });

  const looks = new Map<WatchedGroup, (GroupLook | undefined)[]>([
    [watched, []],
    [missing, []],
  ]);
  const latest = () => looks.get(watched)?.at(-1);
  const watch = watchGroups({
    kafka: { brokers },
    groups: [watched],
    everyMs: 50,
    log: silent,
    onLook: (group, look) => looks.get(group)?.push(look),
  });
  const watchOfMissing = watchGroups({
    kafka: { brokers },
    groups: [missing],
    everyMs: 50,
    log: silent,
    onLook: (group, look) => looks.get(group)?.push(look),
  });
  const ends = new Map([
    [0, 3],
    [1, 2],
  ]);
  await until(() => expect(latest()).toEqual({ isRun: false, positions: new Map(), ends }));

  const consumer = kafka.consumer({ groupId: watched.groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: watched.topic, fromBeginning: true });
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async () => {} });
  await until(() => expect(latest()).toEqual({ isRun: true, positions: ends, ends }));

  await consumer.disconnect();
  await producer.send({ topic: watched.topic, messages: [{ value: "5", partition: 1 }] });
  await until(() =>
    expect(latest()).toEqual({ isRun: false, positions: ends, ends: new Map(ends).set(1, 3) }),
  );
  await until(() => expect(looks.get(missing)?.length).toBeGreaterThan(0));
  expect(new Set(looks.get(missing))).toEqual(new Set([undefined]));
  await Promise.all([watch.close(), watchOfMissing.close(), admin.disconnect(), producer.disconnect()]);
});
