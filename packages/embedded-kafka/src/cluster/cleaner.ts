/** Compacts the topics that want it, one segment at a time, so that requests are served in between. */

import type { Log } from "../log-port.ts";
import { StorageError } from "../storage/errors.ts";
import type { Timer } from "../time/clock.ts";
import type { Cluster } from "./cluster.ts";

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
    this.#timer = this.#cluster.clock.setTimer(everyMs, () => this.#step(this.#work()));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #step(work: Generator<undefined, void>): void {
    if (work.next().done === true) this.start();
    else this.#timer = this.#cluster.clock.setTimer(0, () => this.#step(work));
  }

  *#work(): Generator<undefined, void> {
    const { clock, topics } = this.#cluster;
    for (const partition of topics.flatMap(({ partitions }) => partitions)) {
      const { topic, index, log } = partition;
      try {
        for (const step of log.compacting(clock.now())) {
          yield step;
          if (topic.deleted) break;
        }
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        this.#log.error({ topic: topic.name, partition: index, err: error }, "could not compact a partition");
      }
    }
  }
}
