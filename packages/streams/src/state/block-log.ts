/**
 * What a state has in its changelog: blocks, one or a few for each commit, each with the entries that the commit changed.
 *
 * An entry counts until a later block contains it again. A block of which nothing counts any more is dead and can be deleted.
 * So that few old entries do not keep many old blocks, the oldest blocks are emptied from time to time: what still counts
 * in them goes into the next commit once more (as a log-structured file system does it: Rosenblum and Ousterhout, 1992).
 * The changelog is therefore never much longer than twice what is kept, and each change is written about twice at most.
 */

/** Names a block; nobody but its owner ever writes it. */
export interface BlockId {
  /** The life of the work that wrote it, see {@link Checkpoint}. */
  readonly owner: string;
  /** The commit of that life that it belongs to. */
  readonly commit: number;
  /** Counts up from 0 where a commit is larger than a record should be. */
  readonly part: number;
}

export class Block {
  readonly id: BlockId;
  /** How many entries it was written with, and how many of them count. */
  readonly size: number;
  live = 0;

  constructor(id: BlockId, size: number) {
    this.id = id;
    this.size = size;
  }
}

/** One thing that a state keeps, and the block in which it is written as it is now. */
export interface Item {
  block: Block;
}

const NOBODY: BlockId = { owner: "", commit: 0, part: 0 };
/** Of an item that is new. */
export const NOWHERE = new Block(NOBODY, 0);
/** Of one that has changed since it was written. */
const CHANGED = new Block(NOBODY, 0);
const GONE = new Block(NOBODY, 0);

/** The state as its changelog sees it. */
export interface Logged<I extends Item> {
  /** Tells shapes of entries apart that can't be read as each other. */
  readonly signature: string;
  /** How many values are kept. */
  readonly size: number;
  /** The entry as JSON. */
  entryOf(item: I): string;
  /** Takes up an entry and returns the item that it became; undefined for one that nobody needs any more. */
  load(entry: unknown): I | undefined;
  /** Whether the item only says that something is there no more. Once nothing older is left it may go. */
  isDeleted?(item: I): boolean;
  drop?(item: I): void;
}

/** A block to be written. */
export interface WrittenBlock {
  readonly id: BlockId;
  readonly text: string;
}

/** About as much of a record as is well under Kafka's limit of 1 MB. */
const BLOCK_CHARS_MAX = 256 * 1024;
/** So many entries that do not count are nothing to be cleaned up; and so many blocks, and lives, may there be at least. */
const SPARE_ENTRIES = 1_000;
const SPARE_BLOCKS = 128;
const ENTRIES_A_BLOCK = 32;
const LIVES_MAX = 12;

/** A changelog's blocks, whatever their items are. */
export type StateLog = Pick<BlockLog<Item>, "signature" | "blocks" | "owners" | "load" | "collect">;

export class BlockLog<I extends Item> {
  readonly #state: Logged<I>;
  /** The oldest first, each with the items that it was written with. */
  readonly #blocks = new Map<Block, readonly I[]>();
  #changed: I[] = [];
  /** In all blocks, also what does not count. */
  #entries = 0;

  constructor(state: Logged<I>) {
    this.#state = state;
  }

  get signature(): string {
    return this.#state.signature;
  }

  /** How many blocks have something that counts. */
  get blocks(): number {
    return this.#blocks.size;
  }

  /** Entries of all blocks. */
  get entries(): number {
    return this.#entries;
  }

  /** The item is new, or another than it was written. */
  changed(item: I): void {
    if (item.block === CHANGED) return;
    item.block.live--;
    item.block = CHANGED;
    this.#changed.push(item);
  }

  /** The item is no more, and whoever reads the changelog will know that by himself. */
  gone(item: I): void {
    item.block.live--;
    item.block = GONE;
  }

  /** Whose blocks there are. */
  owners(): Set<string> {
    return new Set([...this.#blocks.keys()].map(({ id }) => id.owner));
  }

  /** Takes up a block that was read. Blocks have to come in the order in which they were written. */
  load(id: BlockId, entries: readonly unknown[]): void {
    const block = new Block(id, entries.length);
    const items: I[] = [];
    for (const entry of entries) {
      const item = this.#state.load(entry);
      if (item === undefined) continue;
      item.block.live--;
      item.block = block;
      block.live++;
      items.push(item);
    }
    this.#blocks.set(block, items);
    this.#entries += block.size;
  }

  /** Makes blocks of what has changed, and of what the oldest blocks still had; `dead` can be deleted once that is committed. */
  collect(owner: string, commit: number): { written: WrittenBlock[]; dead: BlockId[] } {
    this.#clean();
    const items = this.#changed.filter(({ block }) => block === CHANGED);
    this.#changed = [];
    const written: WrittenBlock[] = [];
    for (let from = 0; from < items.length; ) {
      const texts = this.#textsFrom(items, from);
      const id = { owner, commit, part: written.length };
      const block = new Block(id, texts.length);
      const own = items.slice(from, from + texts.length);
      for (const item of own) item.block = block;
      block.live = own.length;
      this.#blocks.set(block, own);
      this.#entries += own.length;
      written.push({ id, text: `{"s":${JSON.stringify(this.#state.signature)},"e":[${texts.join(",")}]}` });
      from += texts.length;
    }
    return { written, dead: this.#takeDead() };
  }

  /** As many entries as fit into a block. */
  #textsFrom(items: readonly I[], from: number): string[] {
    const texts: string[] = [];
    let chars = 0;
    for (let i = from; i < items.length && chars < BLOCK_CHARS_MAX; i++) {
      const item = items[i];
      if (item === undefined) break;
      const text = this.#state.entryOf(item);
      texts.push(text);
      chars += text.length;
    }
    return texts;
  }

  #takeDead(): BlockId[] {
    const dead: BlockId[] = [];
    for (const block of this.#blocks.keys()) {
      if (block.live > 0) continue;
      this.#blocks.delete(block);
      this.#entries -= block.size;
      dead.push(block.id);
    }
    return dead;
  }

  /** Empties the oldest blocks, as many as are too many; not more of them at once than a few times what has changed. */
  #clean(): void {
    const { size } = this.#state;
    let budget = SPARE_ENTRIES + 4 * this.#changed.length;
    let entries = this.#entries;
    let count = this.#blocks.size;
    const oldLives = new Set([...this.owners()].slice(0, -LIVES_MAX));
    for (const [block, items] of this.#blocks) {
      const isTooMuch = entries > 2 * size + SPARE_ENTRIES || count > SPARE_BLOCKS + size / ENTRIES_A_BLOCK;
      if (budget < 0 || (!isTooMuch && !oldLives.has(block.id.owner))) return;
      budget -= block.live;
      entries -= block.size;
      count--;
      for (const item of items) if (item.block === block) this.#moveOn(item);
    }
  }

  #moveOn(item: I): void {
    if (this.#state.isDeleted?.(item) !== true) return this.changed(item);
    this.gone(item);
    this.#state.drop?.(item);
  }
}
