/** Deletes processed records from repartition topics, which keep them for ever otherwise. */
import type { Kafka } from "kafkajs";
import { messageOf } from "../errors.ts";
import { keyOf, type TopicPartition } from "../io/consumer-session.ts";
import { withAdmin } from "../io/topics.ts";
import type { Clock, Log } from "../ports.ts";
import type { SourceNode } from "../topology/nodes.ts";

/** As Kafka Streams' `repartition.purge.interval.ms`. */
export const PURGE_EVERY_MS = 30_000;

interface Committed extends TopicPartition {
  readonly offset: number;
}

export class Purge {
  readonly #client: Kafka;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #topics: ReadonlySet<string>;
  /** Up to where nobody will read again, of partitions of which that is news. */
  readonly #done = new Map<string, TopicPartition & { readonly offset: number }>();

  constructor(
    client: Kafka,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
    sources: readonly SourceNode[],
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    const own = sources.filter(({ repartition }) => repartition !== undefined);
    this.#topics = new Set(own.map(({ topic }) => topic.name));
  }

  /** The group has these positions: what lies before them is worth nothing. */
  committed(positions: readonly Committed[]): void {
    for (const { topic, partition, offset } of positions) {
      if (this.#topics.has(topic)) this.#done.set(keyOf(topic, partition), { topic, partition, offset });
    }
  }

  /** Never rejects: what is not deleted now is deleted with the next. */
  async run(): Promise<void> {
    const done = [...this.#done.values()].filter(({ offset }) => offset > 0);
    this.#done.clear();
    if (done.length === 0) return;
    try {
      await withAdmin(this.#client, this.#clock, async (admin) => {
        for (const topic of new Set(done.map((each) => each.topic))) {
          const partitions = done
            .filter((each) => each.topic === topic)
            .map(({ partition, offset }) => ({ partition, offset: String(offset) }));
          // kafkajs does not look for the leaders by itself.
          await admin.fetchTopicOffsets(topic);
          await admin.deleteTopicRecords({ topic, partitions });
        }
      });
    } catch (error) {
      this.#log.debug(
        { reason: messageOf(error) },
        "could not delete processed records of repartition topics yet",
      );
    }
  }
}
