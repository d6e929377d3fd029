/** What the runtime relies on when state is restored: on the embedded broker, or the cluster that KAFKA_BROKERS names. */
import { createTopics } from "@kelvin/test-kit";
import { expect, test } from "vitest";
import { kafkaForTests, keptLog, uniqueName, until } from "../../test-support/kafka.ts";
import { ConsumerSession } from "./consumer-session.ts";
import { createKafka } from "./kafka-client.ts";
import { machineClock } from "./machine-clock.ts";

const SESSION_MS = 6_000;

test("preparing an assignment may take longer than a session: its place is kept, and reading starts where it says", async () => {
  await using shared = await kafkaForTests();
  const log = keptLog();
  const client = createKafka({ kafka: shared.kafka, log });
  const topic = uniqueName("in");
  const groupId = uniqueName("group");
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await createTopics(admin, [{ topic, numPartitions: 1 }]);
  await producer.send({ topic, messages: ["a", "b", "c"].map((value) => ({ value })) });

  const prepared = Promise.withResolvers<void>();
  let [assignments, batchesBefore] = [0, 0];
  let isPrepared = false;
  const values: string[] = [];
  const session = new ConsumerSession({
    client,
    groupId,
    topics: [topic],
    log,
    clock: machineClock,
    sessionTimeoutMs: SESSION_MS,
    memberId: undefined,
    onAssigned: async (partitions) => {
      assignments++;
      await prepared.promise;
      return partitions.map((each) => ({ ...each, offset: 1 }));
    },
    onBatch: ({ records }) => {
      if (!isPrepared) batchesBefore++;
      values.push(...records.map(({ value }) => String(value)));
      return true;
    },
  });
  await session.start();
  await until("the assignment", () => assignments === 1);
  const assignedMs = performance.now();
  await until("longer than a session", () => performance.now() - assignedMs > SESSION_MS + 2_000);
  isPrepared = true;
  prepared.resolve();
  await until("what there is to read", () => values.length >= 2);
  expect({ values, assignments, batchesBefore }).toEqual({
    values: ["b", "c"],
    assignments: 1,
    batchesBefore: 0,
  });
  expect(session.isReading).toBe(true);

  // kafkajs would commit where it was told to seek to; where the work stands is for its owner to say.
  const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
  expect(offsets?.partitions.map(({ offset }) => offset)).toEqual(["-1"]);
  await session.stop(5_000);
  await Promise.all([admin.disconnect(), producer.disconnect()]);
}, 60_000);
