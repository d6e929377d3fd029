/** Where a cluster keeps what has to outlive the process: nowhere, or in a folder. */
import type { PartitionFiles } from "../log/partition-files.ts";
import { noState, type StateStore } from "./state-store.ts";

export interface TopicName {
  readonly name: string;
  readonly id: string;
}

/** Where logs are, as tools show it. */
export interface LogDir {
  readonly path: string;
  /** Of the volume that it is on; -1 where that is not known. */
  readonly totalBytes: number;
  readonly usableBytes: number;
}

export interface Keeping {
  readonly logDir: LogDir;
  readonly state: StateStore;
  /**
   * Null where logs are in memory.
   *
   * @throws StorageError
   */
  partitionFiles(topic: TopicName, index: number): PartitionFiles | null;
  /**
   * Removes the records of a topic that is gone.
   *
   * @param forget deletes what the state says of it
   * @throws StorageError
   */
  deleteTopic(topic: TopicName, forget: () => void): void;
  close(): void;
}

/** Keeps nothing. */
export const inMemory: Keeping = {
  logDir: { path: "memory", totalBytes: -1, usableBytes: -1 },
  state: noState,
  partitionFiles: () => null,
  deleteTopic: () => {},
  close: () => {},
};
