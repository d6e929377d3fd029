/**
 * One partition in a folder: a file for each segment, named by its base offset.
 *
 * Compaction writes what stays into `….cleaned`, calls that `<base>-<end>.swap` when it is whole, removes the segments
 * in that range, and gives it its name: a start finishes whatever was left half done.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import type { FoundBatch, FoundSegment, PartitionFiles, SegmentFile } from "../log/partition-files.ts";
import { batchSizeAt, HEADER_BYTES, isIntact, readHeader } from "../records/batch.ts";
import { StorageError } from "./errors.ts";
import { type FilePool, isMissing, PooledFile } from "./file-pool.ts";

const LOG = /^(\d{20})\.log$/;
const SWAP = /^(\d{20})-(\d{20})\.swap$/;
const CLEANED = /\.cleaned$/;
const DIGITS = 20;
const READ_BYTES = 4 * 1024 * 1024;

export interface PartitionFolderOptions {
  readonly path: string;
  readonly pool: FilePool;
  readonly logStartOffset: number;
  keepLogStart(offset: number): void;
  /** Called when a torn tail was truncated. */
  cut(bytes: number, file: string): void;
}

export class PartitionFolder implements PartitionFiles {
  readonly #options: PartitionFolderOptions;
  /** By base offset, ascending. */
  readonly #files = new Map<number, PooledFile>();

  constructor(options: PartitionFolderOptions) {
    this.#options = options;
  }

  get logStartOffset(): number {
    return this.#options.logStartOffset;
  }

  *load(): Generator<FoundSegment> {
    const { pool } = this.#options;
    for (const baseOffset of this.#baseOffsets()) {
      const file = this.#fileOf(baseOffset);
      this.#files.set(baseOffset, new PooledFile(file, pool, sizeOf(file)));
    }
    let endOffset = 0;
    for (const [baseOffset, file] of [...this.#files]) {
      const size = file.size;
      const tail = { position: 0, endOffset: Math.max(endOffset, baseOffset) };
      yield { baseOffset, file, batches: wholeBatches(file, tail) };
      endOffset = tail.endOffset;
      if (tail.position === size) continue;
      this.#cutFrom(baseOffset, file, tail.position);
      return;
    }
  }

  /** Cuts a file, and drops those behind it: without what is gone, what comes after it has no place. */
  #cutFrom(baseOffset: number, file: PooledFile, position: number): void {
    this.#options.cut(file.truncate(position), file.path);
    for (const [otherBase, other] of [...this.#files]) {
      if (otherBase <= baseOffset) continue;
      this.#options.cut(other.size, other.path);
      this.#remove(otherBase, other);
    }
  }

  #baseOffsets(): number[] {
    this.#finishSwaps();
    return this.#names()
      .flatMap((name) => LOG.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  #names(): string[] {
    try {
      return fs.readdirSync(this.#options.path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw new StorageError(this.#options.path, "read", error);
    }
  }

  #finishSwaps(): void {
    const names = this.#names();
    for (const name of names) {
      if (CLEANED.test(name)) unlink(join(this.#options.path, name));
    }
    for (const name of names) {
      const [, base, end] = SWAP.exec(name) ?? [];
      if (base === undefined || end === undefined) continue;
      for (const other of names) {
        const [, otherBase] = LOG.exec(other) ?? [];
        if (otherBase !== undefined && base <= otherBase && otherBase < end) {
          unlink(join(this.#options.path, other));
        }
      }
      rename(join(this.#options.path, name), this.#fileOf(Number(base)));
    }
  }

  create(baseOffset: number): SegmentFile {
    const file = new PooledFile(this.#fileOf(baseOffset), this.#options.pool, 0);
    // The first segment of a log comes with its first record: partitions that are not used have no file. The name of
    // any other one says where the log ends.
    if (this.#files.size > 0) file.truncate(0);
    this.#files.set(baseOffset, file);
    return file;
  }

  replace(baseOffset: number, endOffset: number, batches: readonly Buffer[]): SegmentFile | null {
    const { path, pool } = this.#options;
    const replaced = [...this.#files].filter(([base]) => baseOffset <= base && base < endOffset);
    if (batches.length === 0) {
      for (const [base, file] of replaced) this.#remove(base, file);
      return null;
    }
    const swap = join(path, `${padded(baseOffset)}-${padded(endOffset)}.swap`);
    const size = writeWhole(join(path, `${padded(baseOffset)}.cleaned`), swap, batches);
    for (const [base, file] of replaced) this.#remove(base, file);
    const file = new PooledFile(this.#fileOf(baseOffset), pool, size);
    rename(swap, file.path);
    this.#files.set(baseOffset, file);
    return file;
  }

  keepLogStart(offset: number): void {
    this.#options.keepLogStart(offset);
  }

  delete(file: SegmentFile): void {
    for (const [base, known] of this.#files) {
      if (known === file) this.#remove(base, known);
    }
  }

  /** Deletes all of it: the topic is gone. */
  deleteAll(): void {
    for (const file of this.#files.values()) file.delete();
    this.#files.clear();
  }

  #remove(baseOffset: number, file: PooledFile): void {
    this.#files.delete(baseOffset);
    file.delete();
  }

  #fileOf(baseOffset: number): string {
    return join(this.#options.path, `${padded(baseOffset)}.log`);
  }
}

/** How far a file is whole. */
interface Tail {
  position: number;
  endOffset: number;
}

/** The batches of a file up to the first that is cut, wrong, or out of order. */
function* wholeBatches(file: PooledFile, tail: Tail): Generator<FoundBatch> {
  let chunk: Buffer = Buffer.alloc(0);
  let chunkAt = 0;
  const atLeast = (bytes: number): boolean => {
    if (tail.position + bytes > file.size) return false;
    if (tail.position + bytes > chunkAt + chunk.length) {
      chunkAt = tail.position;
      chunk = file.read(chunkAt, Math.min(Math.max(bytes, READ_BYTES), file.size - chunkAt));
    }
    return true;
  };
  while (atLeast(HEADER_BYTES)) {
    const size = batchSizeAt(chunk, tail.position - chunkAt);
    if (size === null || !atLeast(size)) return;
    const at = tail.position - chunkAt;
    const bytes = chunk.subarray(at, at + size);
    if (!isIntact(bytes)) return;
    const { baseOffset, lastOffsetDelta } = readHeader(bytes);
    if (baseOffset < tail.endOffset || lastOffsetDelta < 0) return;
    yield { position: tail.position, bytes };
    tail.position += size;
    tail.endOffset = baseOffset + lastOffsetDelta + 1;
  }
}

function padded(offset: number): string {
  return String(offset).padStart(DIGITS, "0");
}

function sizeOf(path: string): number {
  try {
    return fs.statSync(path).size;
  } catch (error) {
    throw new StorageError(path, "read", error);
  }
}

function unlink(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch (error) {
    throw new StorageError(path, "deleted", error);
  }
}

function rename(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    throw new StorageError(from, `renamed to ${to}`, error);
  }
}

/**
 * Writes a file under one name, forces it to the disk and gives it another: what it replaces may be on the disk for
 * long. Its size.
 */
function writeWhole(temporary: string, path: string, batches: readonly Buffer[]): number {
  try {
    const descriptor = fs.openSync(temporary, "w");
    let size = 0;
    try {
      for (const batch of batches) {
        fs.writeFileSync(descriptor, batch);
        size += batch.length;
      }
      fs.fdatasyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, path);
    return size;
  } catch (error) {
    throw new StorageError(temporary, "written", error);
  }
}
