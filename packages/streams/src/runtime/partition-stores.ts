/** The stores of one partition: what changed in them, by the commit that it belongs to. */
import { type ChangelogEntry, Restoration } from "../state/changelog.ts";
import { Store } from "../state/store.ts";
import { type SourceNode, storesOf } from "../topology/nodes.ts";

/** One wrong device clock must not end everybody's times to live. */
const FUTURE_MS = 60_000;

export class PartitionStores {
  readonly byName: ReadonlyMap<string, Store>;
  /** How many commits had changes. */
  #commits = 0;
  /** Changes that are numbered and not taken yet. */
  #changes: ChangelogEntry[] = [];
  /** Event time that records have reached, for times to live. */
  #reachedMs = Number.NEGATIVE_INFINITY;

  constructor(source: SourceNode) {
    this.byName = new Map(storesOf(source).map((store) => [store.name, new Store(store)]));
  }

  /** The number of the last commit that had changes. */
  get commits(): number {
    return this.#commits;
  }

  /** Goes on behind the commit of that number. */
  restore(commits: number): void {
    this.#commits = commits;
  }

  restoration(store: Store): Restoration {
    return new Restoration(store, this.#commits);
  }

  reach(timestampMs: number, wallMs: number): void {
    if (timestampMs <= wallMs + FUTURE_MS) this.#reachedMs = Math.max(this.#reachedMs, timestampMs);
  }

  /** Makes one commit of what has changed. */
  collect(): void {
    const changes: Omit<ChangelogEntry, "commit">[] = [];
    for (const [name, store] of this.byName) {
      store.expire(this.#reachedMs);
      for (const [key, stored] of store.takeChanges()) changes.push({ store: name, key, stored });
    }
    if (changes.length === 0) return;
    const commit = ++this.#commits;
    for (const change of changes) this.#changes.push({ ...change, commit });
  }

  take(): ChangelogEntry[] {
    return this.#changes.splice(0);
  }
}
