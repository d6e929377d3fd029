/** Compacts the topics that want it, in the background: one partition at a time, so that no request waits for all. */

import type { Log } from "../log-port.ts";
import { StorageError } from "../storage/errors.ts";
import type { Timer } from "../time/clock.ts";
import type { Cluster } from "./cluster.ts";
import type { Partition } from "./topic.ts";

export class Cleaner {
  readonly #cluster: Cluster;
  readonly #log: Log;
  #timer: Timer | null = null;

  constructor(cluster: Cluster, log: Log) {
    this.#cluster = cluster;
    this.#log = log;
  }

  /** Looks for work every `log.cleaner.backoff.ms`, until it is stopped. */
  start(): void {
    const everyMs = this.#cluster.configs.brokerNumber("log.cleaner.backoff.ms");
    this.#timer = this.#cluster.clock.setTimer(everyMs, () => {
      this.#cleanNext(this.#cluster.topics.flatMap(({ partitions }) => partitions).reverse());
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** @param waiting the last one is next. */
  #cleanNext(waiting: Partition[]): void {
    let partition = waiting.pop();
    // Those with nothing to do cost nothing: they need no turn of their own.
    while (partition !== undefined && !this.#clean(partition)) partition = waiting.pop();
    if (partition === undefined) this.start();
    else this.#timer = this.#cluster.clock.setTimer(0, () => this.#cleanNext(waiting));
  }

  /** Whether there was something to do. */
  #clean({ topic, index, log }: Partition): boolean {
    if (topic.deleted) return false;
    try {
      return log.compact(this.#cluster.clock.now());
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#log.error({ topic: topic.name, partition: index, err: error }, "a partition is not compacted");
      return true;
    }
  }
}
