/** A topic and its partitions. */

import type { LogConfig } from "../log/log-config.ts";
import { PartitionLog } from "../log/partition-log.ts";
import { inMemory, type Keeping } from "../storage/keeping.ts";
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
  /** 22 characters of URL-safe base 64; a recreated topic gets another. */
  readonly id: string;
  readonly partitions: Partition[] = [];
  /** Set for ever once the topic is gone: a request that still holds the object must see it. */
  deleted = false;
  readonly #store: ConfigStore;
  readonly #clock: Clock;
  readonly #keeping: Keeping;
  #overrides: ReadonlyMap<string, string>;
  #logConfig: LogConfig;

  constructor(
    name: string,
    id: string,
    overrides: ReadonlyMap<string, string>,
    store: ConfigStore,
    clock: Clock,
    keeping: Keeping = inMemory,
  ) {
    this.name = name;
    this.id = id;
    this.#overrides = overrides;
    this.#store = store;
    this.#clock = clock;
    this.#keeping = keeping;
    this.#logConfig = store.logConfig(overrides);
  }

  get overrides(): ReadonlyMap<string, string> {
    return this.#overrides;
  }

  /** True where records are deleted at all: a topic that is only compacted keeps the newest of each key. */
  get deletesRecords(): boolean {
    return this.#logConfig.deletes;
  }

  setOverrides(overrides: ReadonlyMap<string, string>): void {
    this.#save(overrides);
    this.#overrides = overrides;
    this.refreshConfig();
  }

  /**
   * Keeps the topic itself, without its partitions.
   *
   * @throws StorageError
   */
  save(): void {
    this.#save(this.#overrides);
  }

  #save(overrides: ReadonlyMap<string, string>): void {
    this.#keeping.state.put(["topic", this.id], { name: this.name, configs: Object.fromEntries(overrides) });
  }

  /** To be called after a broker setting changed. */
  refreshConfig(): void {
    this.#logConfig = this.#store.logConfig(this.#overrides);
  }

  /** @throws StorageError */
  addPartition(replicas: readonly number[], leaderId: number, leaderEpoch = 0): void {
    const index = this.partitions.length;
    const files = this.#keeping.partitionFiles(this, index);
    const log = new PartitionLog(() => this.#logConfig, this.#clock.now(), files);
    const partition: Partition = { topic: this, index, log, leaderId, leaderEpoch, replicas };
    this.savePartition(partition);
    this.partitions.push(partition);
  }

  /**
   * Keeps who leads a partition.
   *
   * @throws StorageError
   */
  savePartition({ index, leaderEpoch, replicas }: Partition): void {
    this.#keeping.state.put(["partition", this.id, index], { leaderEpoch, replicas });
  }

  /**
   * Ends the topic: readers that wait for it wake and see that it is gone.
   *
   * @throws StorageError
   */
  delete(): void {
    this.#keeping.deleteTopic(this, () => {
      const { state } = this.#keeping;
      state.delete(["topic", this.id]);
      for (const { index } of this.partitions) state.delete(["partition", this.id, index]);
    });
    this.deleted = true;
    for (const partition of this.partitions) partition.log.wake();
  }
}
