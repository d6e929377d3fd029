/** Says where work begins with empty state: nobody shall learn that from missing results alone. */
import { RecordsGoneError } from "../errors.ts";
import type { TopicPartition } from "../io/consumer-session.ts";
import type { PartitionOffsets } from "../io/offsets.ts";
import type { Log } from "../ports.ts";
import type { OnRecordsGone, Start } from "./start-offsets.ts";

type FreshStart = Extract<Start, { kind: "fresh" }>;

/** Those of one assignment: a topic that was deleted is one event, however many partitions it has. */
export class FreshStarts {
  readonly #log: Log;
  readonly #onRecordsGone: OnRecordsGone;
  readonly #recreated = new Map<
    string,
    { readonly partition: number; readonly offsets: PartitionOffsets }[]
  >();

  constructor({ log, onRecordsGone }: { readonly log: Log; readonly onRecordsGone: OnRecordsGone }) {
    this.#log = log;
    this.#onRecordsGone = onRecordsGone;
  }

  /** @throws {RecordsGoneError} where records are gone and that is to be a failure. */
  add({ topic, partition }: TopicPartition, offsets: PartitionOffsets, { why, offset }: FreshStart): void {
    if (why === "topic-recreated") {
      const partitions = this.#recreated.get(topic) ?? [];
      partitions.push({ partition, offsets });
      this.#recreated.set(topic, partitions);
    } else if (why === "records-gone") this.#recordsGone({ topic, partition }, offsets, offset);
  }

  #recordsGone(at: TopicPartition, { low, high, committed }: PartitionOffsets, startingAt: number): void {
    if (this.#onRecordsGone === "fail") throw new RecordsGoneError({ ...at, offset: committed }, low);
    this.#log.error(
      { ...at, committed, low, high, startingAt },
      "records were deleted before they were processed; continuing without them, with empty windows",
    );
  }

  /** Logs one line for each recreated topic, with its partitions in the order of their numbers. */
  tell(): void {
    for (const [topic, unordered] of this.#recreated) {
      const starts = unordered.toSorted((a, b) => a.partition - b.partition);
      const fields = {
        topic,
        partitions: starts.map(({ partition }) => partition),
        committed: starts.map(({ offsets }) => offsets.committed),
        low: starts.map(({ offsets }) => offsets.low),
        high: starts.map(({ offsets }) => offsets.high),
      };
      this.#log.warn(fields, "the topic was recreated; starting at its beginning with empty windows");
    }
  }
}
