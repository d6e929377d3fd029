/** A topic and its partitions. */

import type { LogConfig } from "../log/log-config.ts";
import { PartitionLog } from "../log/partition-log.ts";
import type { Clock } from "../time/clock.ts";
import type { ConfigStore } from "./config-store.ts";

/** One partition: its log and who leads it. */
export interface Partition {
  readonly topic: Topic;
  readonly index: number;
  readonly log: PartitionLog;
  leaderId: number;
  leaderEpoch: number;
  /** Brokers that hold it, by id, the preferred leader first. */
  replicas: readonly number[];
}

export class Topic {
  readonly name: string;
  /** 22 characters of URL-safe base 64; a topic made again gets another. */
  readonly id: string;
  readonly partitions: Partition[] = [];
  /** Set for ever once the topic is gone: a request that still holds the object must see it. */
  deleted = false;
  readonly #store: ConfigStore;
  readonly #clock: Clock;
  #overrides: ReadonlyMap<string, string>;
  #logConfig: LogConfig;

  constructor(
    name: string,
    id: string,
    overrides: ReadonlyMap<string, string>,
    store: ConfigStore,
    clock: Clock,
  ) {
    this.name = name;
    this.id = id;
    this.#overrides = overrides;
    this.#store = store;
    this.#clock = clock;
    this.#logConfig = store.logConfig(overrides);
  }

  get overrides(): ReadonlyMap<string, string> {
    return this.#overrides;
  }

  setOverrides(overrides: ReadonlyMap<string, string>): void {
    this.#overrides = overrides;
    this.refreshConfig();
  }

  /** To be called after a broker setting changed. */
  refreshConfig(): void {
    this.#logConfig = this.#store.logConfig(this.#overrides);
  }

  addPartition(replicas: readonly number[], leaderId: number): void {
    this.partitions.push({
      topic: this,
      index: this.partitions.length,
      log: new PartitionLog(() => this.#logConfig, this.#clock.now()),
      leaderId,
      leaderEpoch: 0,
      replicas,
    });
  }

  /** Ends the topic: readers that wait for it wake and see that it is gone. */
  delete(): void {
    this.deleted = true;
    for (const partition of this.partitions) partition.log.wake();
  }
}
