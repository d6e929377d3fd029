/** The changelogs of an app's stores and windows: made as wide as the topics they belong to, and read when a partition comes. */
import type { Kafka } from "kafkajs";
import { keyOf } from "../io/consumer-session.ts";
import { nextTurn } from "../io/machine-clock.ts";
import { PartitionReader } from "../io/partition-reader.ts";
import { TopicKeeper, withAdmin } from "../io/topics.ts";
import type { Clock, KafkaConnection, Log } from "../ports.ts";
import { changelogTopic, changelogTopicName, ReadChangelog } from "../state/changelog.ts";
import type { Numbers } from "./numbers.ts";
import type { Task } from "./task.ts";

/** How long state is taken up before sockets have their turn, in milliseconds. */
const SLICE_MS = 8;

export interface ChangelogsOptions {
  readonly app: string;
  readonly client: Kafka;
  readonly kafka: KafkaConnection;
  readonly log: Log;
  readonly clock: Clock;
  readonly numbers: Numbers;
}

/** The stores and windows of a source topic, and how many partitions it has. */
interface Width {
  readonly states: readonly string[];
  readonly partitions: number;
}

export class Changelogs {
  readonly #options: ChangelogsOptions;
  /** Of each source topic with state. */
  readonly #widths = new Map<string, Width>();
  #restoring = 0;

  constructor(options: ChangelogsOptions) {
    this.#options = options;
  }

  /** How many partitions are being restored. */
  get restoring(): number {
    return this.#restoring;
  }

  /**
   * Fills the stores and windows of these tasks, as they were at the last commit. `widthOf` knows how many partitions a
   * source topic has.
   */
  async restore(tasks: readonly Task[], widthOf: (topic: string) => number): Promise<void> {
    const { client, clock, log, numbers } = this.#options;
    const stateful = tasks.filter(({ partition }) => partition.isStateful);
    if (stateful.length === 0) return;
    const startedMs = clock.monotonic();
    this.#restoring = stateful.length;
    try {
      for (const { topic, partition } of stateful)
        this.#widths.set(topic, { states: partition.states, partitions: widthOf(topic) });
      await this.ensure();
      const records = await PartitionReader.using(client, clock, async (reader) => {
        const ends = await this.#ends();
        const counts = await Promise.all(stateful.map((task) => this.#fill(reader, ends, task)));
        return counts.reduce((sum, count) => sum + count, 0);
      });
      const tookMs = clock.monotonic() - startedMs;
      numbers.gauge("restore_seconds", tookMs / 1_000);
      numbers.gauge("restore_records", records);
      const values = stateful.reduce((sum, { partition }) => sum + partition.valueCount, 0);
      const fields = { partitions: stateful.length, records, values, tookMs: Math.round(tookMs) };
      log.info(fields, "state restored");
    } finally {
      this.#restoring = 0;
    }
  }

  /** Makes what is missing, and gives changelogs the partitions that their source topics were given. */
  async ensure(): Promise<void> {
    const { app, client, clock, kafka, log } = this.#options;
    if (this.#widths.size === 0) return;
    await withAdmin(client, clock, async (admin) => {
      const ensureThose = async ({ states, partitions }: Width) => {
        const definitions = states.map((state) => changelogTopic(app, state, partitions));
        const own = { ...kafka, newTopics: { ...kafka.newTopics, partitions } };
        await new TopicKeeper({ kafka: own, definitions, log }).ensure(admin);
        const { topics } = await admin.fetchTopicMetadata({ topics: definitions.map(({ name }) => name) });
        for (const topic of topics.filter((each) => each.partitions.length < partitions)) {
          await admin.createPartitions({ topicPartitions: [{ topic: topic.name, count: partitions }] });
          log.warn(
            { topic: topic.name, partitions },
            "the source topic has more partitions now; the changelog was extended to match",
          );
        }
      };
      await Promise.all([...this.#widths.values()].map(ensureThose));
    });
  }

  async #ends(): Promise<Map<string, { low: number; high: number }>> {
    const { app, client, clock } = this.#options;
    return withAdmin(client, clock, async (admin) => {
      const ends = new Map<string, { low: number; high: number }>();
      for (const { states } of this.#widths.values()) {
        for (const state of states) {
          const topic = changelogTopicName(app, state);
          for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
            ends.set(keyOf(topic, partition), { low: Number(low), high: Number(high) });
        }
      }
      return ends;
    });
  }

  /** Returns how many records were read. */
  async #fill(
    reader: PartitionReader,
    ends: ReadonlyMap<string, { low: number; high: number }>,
    { topic: source, partitionId: partition, partition: work, blocks }: Task,
  ): Promise<number> {
    const { app, log } = this.#options;
    const read = await Promise.all(
      work.states.map(async (state) => {
        const topic = changelogTopicName(app, state);
        const { low = 0, high = 0 } = ends.get(keyOf(topic, partition)) ?? {};
        const changelog = new ReadChangelog();
        let count = 0;
        await reader.read({ topic, partition, from: low, to: high }, (record) => {
          count++;
          changelog.take(record);
        });
        return { count, found: await this.#inSlices(work.load(state, changelog)) };
      }),
    );
    const sum = (of: (each: (typeof read)[number]) => number) =>
      read.reduce((all, each) => all + of(each), 0);
    const found = sum((each) => each.found);
    if (found < blocks) {
      log.error(
        { topic: source, partition, states: work.states, found, noted: blocks },
        "part of the state is missing from its changelogs, or belongs to a different kind of window; continuing without it",
      );
    }
    return sum(({ count }) => count);
  }

  /** Does the work piece by piece, and lets heartbeats have their turn. */
  async #inSlices<R>(work: Generator<void, R>): Promise<R> {
    const { clock } = this.#options;
    for (let endMs = clock.monotonic() + SLICE_MS; ; ) {
      const piece = work.next();
      if (piece.done === true) return piece.value;
      if (clock.monotonic() < endMs) continue;
      await nextTurn();
      endMs = clock.monotonic() + SLICE_MS;
    }
  }
}
