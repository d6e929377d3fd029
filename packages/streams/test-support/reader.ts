/** What a topic has, for tests. */
import {
  createSubscriber,
  type InvalidRecord,
  type KafkaConnection,
  type SubscribedRecord,
  type TopicLike,
} from "../src/index.ts";
import { keptLog, uniqueName } from "./kafka.ts";

export interface TopicReader<T> extends AsyncDisposable {
  readonly records: readonly SubscribedRecord<T>[];
  /** Those of the records. */
  readonly values: readonly T[];
  readonly invalid: readonly InvalidRecord[];
}

/** Everything from the topic's beginning on, what is there already and then as it comes. */
export async function readerOf<T>(
  kafka: KafkaConnection,
  topic: TopicLike<T>,
  log = keptLog(),
): Promise<TopicReader<T>> {
  const records: SubscribedRecord<T>[] = [];
  const values: T[] = [];
  const invalid: InvalidRecord[] = [];
  const subscriber = await createSubscriber<T>({
    kafka,
    topics: [topic],
    groupId: uniqueName("reader"),
    from: "earliest",
    log,
    onRecord: (record) => {
      records.push(record);
      values.push(record.value);
    },
    onInvalid: (record) => void invalid.push(record),
  });
  await subscriber.caughtUp;
  return { records, values, invalid, [Symbol.asyncDispose]: () => subscriber.close() };
}

/** What the topic has now. */
export async function valuesIn<T>(kafka: KafkaConnection, topic: TopicLike<T>): Promise<readonly T[]> {
  await using reader = await readerOf(kafka, topic);
  return reader.values;
}
