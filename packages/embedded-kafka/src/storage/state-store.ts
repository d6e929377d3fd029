/** What a broker knows besides its records, by key: topics, settings, committed offsets, transactions. */

/** What kind of thing, and which. */
export type StateKey = readonly [kind: string, ...which: (string | number)[]];

export interface StateEntry {
  readonly key: StateKey;
  /** As it came out of JSON. */
  readonly value: unknown;
}

/** Values are anything that JSON can hold. */
export interface StateStore {
  get(key: StateKey): unknown;
  /** Everything of one kind, in the order in which it was put first. */
  entries(kind: string): readonly StateEntry[];
  /** @throws StorageError, and nothing has changed. */
  put(key: StateKey, value: unknown): void;
  /** @throws StorageError, and nothing has changed. */
  delete(key: StateKey): void;
  /**
   * All that is put and deleted meanwhile is kept together, or not at all.
   *
   * @throws StorageError, and nothing has changed.
   */
  together(work: () => void): void;
}

/** For a broker in memory: its own objects are the only state. */
export const noState: StateStore = {
  get: () => undefined,
  entries: () => [],
  put: () => {},
  delete: () => {},
  together: (work) => work(),
};
