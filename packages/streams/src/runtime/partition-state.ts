/** What one partition keeps, stores and windows, and what of it is to be written to the changelogs by which commit. */
import type { BlockId, StateLog } from "../state/block-log.ts";
import { type Change, entriesOf, type ReadChangelog } from "../state/changelog.ts";
import { Store } from "../state/store.ts";
import { type SourceNode, storesOf } from "../topology/nodes.ts";
import type { PartitionWindow } from "./partition-windows.ts";

/** One wrong device clock must not end everybody's times to live. */
const FUTURE_MS = 60_000;

/** What is known of the commits that were ended. */
export interface Ended {
  readonly lives: ReadonlyMap<string, number>;
  readonly blocks: number;
}

interface Dead {
  readonly state: string;
  readonly id: BlockId;
}

export class PartitionState {
  readonly stores: ReadonlyMap<string, Store>;
  readonly #owner: string;
  readonly #logs: ReadonlyMap<string, StateLog>;
  /** Of each life whose blocks are there, its last commit that counts. Those of this one are counted here. */
  readonly #lives = new Map<string, number>();
  #commit = 0;
  #collected = 0;
  /** Changes that are numbered and not taken yet. */
  #changes: Change[] = [];
  /** Blocks that the commit with that number needs no more. */
  #dying: { readonly collected: number; readonly dead: readonly Dead[] }[] = [];
  /** Event time that records have reached, for times to live. */
  #reachedMs = Number.NEGATIVE_INFINITY;

  constructor(source: SourceNode, windows: readonly PartitionWindow[], owner: string) {
    this.#owner = owner;
    this.stores = new Map(storesOf(source).map((store) => [store.name, new Store(store)]));
    this.#logs = new Map<string, StateLog>([
      ...[...this.stores].map(([name, { log }]): [string, StateLog] => [name, log]),
      ...windows.map(({ node, state }): [string, StateLog] => [node.name, state.log]),
    ]);
  }

  /** The names of what is kept; each has a changelog. */
  get names(): readonly string[] {
    return [...this.#logs.keys()];
  }

  /** Event time that records have reached; minus infinity before the first. */
  get reachedMs(): number {
    return this.#reachedMs;
  }

  /** How often changes were collected: what is noted at one of them commits those of all before. */
  get collected(): number {
    return this.#collected;
  }

  /** For the note that commits what was collected. */
  get ended(): Ended {
    const logs = [...this.#logs.values()];
    const owners = new Set(logs.flatMap((log) => [...log.owners()]));
    const lives = new Map([...this.#lives].filter(([owner]) => owners.has(owner)));
    return { lives, blocks: logs.reduce((sum, log) => sum + log.blocks, 0) };
  }

  /** Goes on behind the commits that were ended. */
  restore({ lives }: Ended): void {
    for (const [owner, commit] of lives) this.#lives.set(owner, commit);
  }

  /**
   * Takes up what there is in a changelog, block by block; returns how many of them count. What does not is deleted with
   * the next commit.
   */
  *load(name: string, changelog: ReadChangelog): Generator<void, number> {
    const log = this.#logs.get(name);
    if (log === undefined) return 0;
    let count = 0;
    for (const { id, value } of changelog.blocks()) {
      const entries =
        id.commit <= (this.#lives.get(id.owner) ?? 0) ? entriesOf(value, log.signature) : undefined;
      if (entries === undefined) {
        this.#changes.push({ state: name, id, text: undefined });
        continue;
      }
      log.load(id, entries);
      count++;
      yield;
    }
    return count;
  }

  reach(timestampMs: number, wallMs: number): void {
    if (timestampMs <= wallMs + FUTURE_MS) this.#reachedMs = Math.max(this.#reachedMs, timestampMs);
  }

  /** Makes one commit of what has changed. */
  collect(): void {
    for (const store of this.stores.values()) store.expire(this.#reachedMs);
    const commit = this.#commit + 1;
    const dead: Dead[] = [];
    for (const [state, log] of this.#logs) {
      const collected = log.collect(this.#owner, commit);
      for (const { id, text } of collected.written) this.#changes.push({ state, id, text });
      if (collected.written.length > 0) this.#commit = commit;
      for (const id of collected.dead) dead.push({ state, id });
    }
    if (this.#commit === commit) this.#lives.set(this.#owner, commit);
    this.#collected++;
    if (dead.length > 0) this.#dying.push({ collected: this.#collected, dead });
  }

  take(): Change[] {
    return this.#changes.splice(0);
  }

  /** A note is committed that was made when changes had been collected so often. */
  noted(collected: number): void {
    for (
      let first = this.#dying[0];
      first !== undefined && first.collected <= collected;
      first = this.#dying[0]
    ) {
      this.#dying.shift();
      for (const dead of first.dead) this.#changes.push({ ...dead, text: undefined });
    }
  }
}
