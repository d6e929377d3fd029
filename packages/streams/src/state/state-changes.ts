/** What a record would change in stores: visible to itself at once, to others when it counts. */
import type { KeyState, RecordContext, StoreDefinition } from "../topology/nodes.ts";
import { type Store, type StoredValue, storedOf } from "./store.ts";

export class StateChanges {
  readonly #stores: ReadonlyMap<string, Store>;
  /** Made with the first change: most records have none. */
  #staged: Map<Store, Map<string, StoredValue | undefined>> | undefined;

  constructor(stores: ReadonlyMap<string, Store>) {
    this.#stores = stores;
  }

  /** The value of the record's key. */
  of({ name }: StoreDefinition, { key, timestampMs }: RecordContext): KeyState<unknown> {
    const store = this.#stores.get(name);
    const staged = () => (store === undefined ? undefined : this.#staged?.get(store));
    const stage = (stored: StoredValue | undefined) => {
      if (store === undefined) return;
      const changes = staged() ?? new Map<string, StoredValue | undefined>();
      this.#staged ??= new Map();
      this.#staged.set(store, changes.set(key, stored));
    };
    return {
      get: () => {
        const stored = staged()?.has(key) ? staged()?.get(key) : store?.get(key, timestampMs);
        return stored === undefined ? undefined : JSON.parse(stored.json);
      },
      set: (value) => stage(storedOf(name, value, timestampMs)),
      delete: () => stage(undefined),
    };
  }

  /** The record counts. */
  apply(): void {
    for (const [store, changes] of this.#staged ?? []) {
      for (const [key, stored] of changes) store.put(key, stored);
    }
    this.#staged = undefined;
  }
}
