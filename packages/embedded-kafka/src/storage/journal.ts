/**
 * A broker's state in one file that only grows: each change is added to its end, and it is rewritten from what
 * holds when most of it is history.
 *
 * An entry is a length and a checksum, 4 bytes each, and JSON: a list of `[key, value]`, or `[key]` for what was deleted.
 */
import * as fs from "node:fs";
import { crc32c } from "../records/crc32c.ts";
import { DataFolderError, StorageError } from "./errors.ts";
import { type FilePool, PooledFile } from "./file-pool.ts";
import type { StateEntry, StateKey, StateStore } from "./state-store.ts";

const HEAD_BYTES = 8;
/** From this size on it is worth rewriting the file. */
const REWRITE_FROM_BYTES = 1024 * 1024;
const MOSTLY_HISTORY = 4;
/** In one entry of a file that is rewritten. */
const ENTRIES_TOGETHER = 1000;

interface Held extends StateEntry {
  readonly bytes: number;
}

/** A change that is not written yet; without a value: a deletion. */
interface Change {
  readonly key: StateKey;
  readonly value?: unknown;
}

export class Journal implements StateStore {
  readonly #path: string;
  readonly #pool: FilePool;
  #file: PooledFile;
  /** By the key's JSON. */
  readonly #held = new Map<string, Held>();
  #heldBytes = 0;
  #together: Change[] | null = null;
  #rewriteFromBytes = REWRITE_FROM_BYTES;

  /**
   * Reads what there is; a torn tail is truncated.
   *
   * @param cut told how many bytes were cut
   * @throws StorageError, DataFolderError
   */
  constructor(path: string, pool: FilePool, cut: (bytes: number, file: string) => void) {
    this.#path = path;
    this.#pool = pool;
    const size = fs.existsSync(path) ? fs.statSync(path).size : 0;
    this.#file = new PooledFile(path, pool, size);
    const whole = this.#read(this.#file.read(0, size));
    if (whole < size) cut(this.#file.truncate(whole), path);
  }

  /** How many bytes are whole. */
  #read(bytes: Buffer): number {
    let at = 0;
    while (at + HEAD_BYTES <= bytes.length) {
      const end = at + HEAD_BYTES + bytes.readUInt32BE(at);
      if (end > bytes.length || end === at + HEAD_BYTES) break;
      if (crc32c(bytes, at + HEAD_BYTES, end) !== bytes.readUInt32BE(at + 4)) break;
      for (const change of changesIn(bytes.toString("utf8", at + HEAD_BYTES, end), this.#path)) {
        this.#apply(change);
      }
      at = end;
    }
    return at;
  }

  get(key: StateKey): unknown {
    return this.#held.get(JSON.stringify(key))?.value;
  }

  entries(kind: string): readonly StateEntry[] {
    return [...this.#held.values()].filter(({ key }) => key[0] === kind);
  }

  put(key: StateKey, value: unknown): void {
    this.#change({ key, value });
  }

  delete(key: StateKey): void {
    if (this.#together !== null || this.#held.has(JSON.stringify(key))) this.#change({ key });
  }

  together(work: () => void): void {
    if (this.#together !== null) return work();
    const changes: Change[] = [];
    this.#together = changes;
    try {
      work();
    } finally {
      this.#together = null;
    }
    if (changes.length > 0) this.#write(changes);
  }

  #change(change: Change): void {
    if (this.#together === null) this.#write([change]);
    else this.#together.push(change);
  }

  #write(changes: readonly Change[]): void {
    this.#file.append(entryOf(changes));
    for (const change of changes) this.#apply(change);
    if (this.#file.size > this.#rewriteFromBytes) this.#rewrite();
  }

  #apply(change: Change): void {
    const key = JSON.stringify(change.key);
    const before = this.#held.get(key);
    this.#heldBytes -= before?.bytes ?? 0;
    if (change.value === undefined) {
      this.#held.delete(key);
      return;
    }
    const bytes = key.length + JSON.stringify(change.value).length;
    this.#heldBytes += bytes;
    this.#held.set(key, { key: change.key, value: change.value, bytes });
  }

  /** Where it fails, the file stays as it was. */
  #rewrite(): void {
    this.#rewriteFromBytes = Math.max(REWRITE_FROM_BYTES, MOSTLY_HISTORY * this.#heldBytes);
    if (this.#file.size < this.#rewriteFromBytes) return;
    const temporary = `${this.#path}.new`;
    const held = [...this.#held.values()];
    let size = 0;
    try {
      const descriptor = fs.openSync(temporary, "w");
      try {
        for (let from = 0; from < held.length; from += ENTRIES_TOGETHER) {
          const entry = entryOf(held.slice(from, from + ENTRIES_TOGETHER));
          fs.writeFileSync(descriptor, entry);
          size += entry.length;
        }
        fs.fdatasyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      this.#file.close();
      fs.renameSync(temporary, this.#path);
      this.#file = new PooledFile(this.#path, this.#pool, size);
    } catch (error) {
      this.#rewriteFromBytes = this.#file.size * 2;
      throw new StorageError(temporary, "written", error);
    }
  }
}

function entryOf(changes: readonly Change[]): Buffer {
  const list = changes.map(({ key, value }) => (value === undefined ? [key] : [key, value]));
  const payload = Buffer.from(JSON.stringify(list));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(payload.length, 0);
  head.writeUInt32BE(crc32c(payload), 4);
  return Buffer.concat([head, payload]);
}

function changesIn(text: string, path: string): Change[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new DataFolderError(`${path} has an entry that is not an array: ${text}`);
  return list.map((one: unknown) => {
    const [key, value]: unknown[] = Array.isArray(one) ? one : [];
    if (!isKey(key)) throw new DataFolderError(`${path} has an entry without a key: ${text}`);
    return { key, value };
  });
}

function isKey(value: unknown): value is StateKey {
  return (
    Array.isArray(value) &&
    typeof value[0] === "string" &&
    value.every((part) => typeof part === "string" || typeof part === "number")
  );
}
