/**
 * Files that are open: at most so many, as a process may not have one for each of ten thousand segments.
 *
 * What is written is in the operating system's cache, and outlives the process however that ends. It is not forced to the
 * disk: after a power cut the newest records may be gone, as with Apache Kafka's defaults on one machine.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import type { SegmentFile } from "../log/partition-files.ts";
import { StorageError } from "./errors.ts";

const OPEN_MOST = 256;

export class FilePool {
  /** File descriptors, the one that was used last at the end. */
  readonly #open = new Map<PooledFile, number>();
  #newest: PooledFile | null = null;
  #newestDescriptor = -1;

  /** @throws the file system's own error */
  descriptorOf(file: PooledFile): number {
    if (file === this.#newest) return this.#newestDescriptor;
    const descriptor = this.#open.get(file) ?? openFile(file.path);
    this.#open.delete(file);
    this.#open.set(file, descriptor);
    this.#newest = file;
    this.#newestDescriptor = descriptor;
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= OPEN_MOST) break;
      this.close(oldest);
    }
    return descriptor;
  }

  close(file: PooledFile): void {
    const descriptor = this.#open.get(file);
    if (descriptor === undefined) return;
    this.#open.delete(file);
    if (file === this.#newest) this.#newest = null;
    fs.closeSync(descriptor);
  }

  closeAll(): void {
    for (const file of [...this.#open.keys()]) this.close(file);
  }
}

/** For reading and writing anywhere; made where it is missing. */
function openFile(path: string): number {
  const flags = fs.constants.O_RDWR | fs.constants.O_CREAT;
  try {
    return fs.openSync(path, flags);
  } catch (error) {
    if (!isMissing(error)) throw error;
    fs.mkdirSync(dirname(path), { recursive: true });
    return fs.openSync(path, flags);
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

export class PooledFile implements SegmentFile {
  readonly path: string;
  readonly #pool: FilePool;
  #size: number;
  #deleted = false;

  /** @param size of what is there already; what is behind it is overwritten. */
  constructor(path: string, pool: FilePool, size: number) {
    this.path = path;
    this.#pool = pool;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Buffer): void {
    try {
      this.#mustBeThere();
      const descriptor = this.#pool.descriptorOf(this);
      for (let written = 0; written < bytes.length; ) {
        written += fs.writeSync(descriptor, bytes, written, bytes.length - written, this.#size + written);
      }
      this.#size += bytes.length;
    } catch (error) {
      this.#cutBack();
      throw new StorageError(this.path, "written", error);
    }
  }

  /** Takes back a half of a write. Where that fails too, the next start cuts it, or the next write goes over it. */
  #cutBack(): void {
    try {
      fs.ftruncateSync(this.#pool.descriptorOf(this), this.#size);
    } catch {
      this.#pool.close(this);
    }
  }

  read(position: number, length: number): Buffer {
    try {
      this.#mustBeThere();
      const descriptor = this.#pool.descriptorOf(this);
      const bytes = Buffer.allocUnsafeSlow(length);
      for (let done = 0; done < length; ) {
        const read = fs.readSync(descriptor, bytes, done, length - done, position + done);
        if (read === 0) throw new RangeError(`it ends at byte ${position + done}`);
        done += read;
      }
      return bytes;
    } catch (error) {
      throw new StorageError(this.path, "read", error);
    }
  }

  /** Cuts the file; how many bytes went. */
  truncate(size: number): number {
    try {
      fs.ftruncateSync(this.#pool.descriptorOf(this), size);
      const cut = this.#size - size;
      this.#size = size;
      return cut;
    } catch (error) {
      throw new StorageError(this.path, "cut", error);
    }
  }

  /** Who still holds it must not bring an empty one back. */
  #mustBeThere(): void {
    if (this.#deleted) throw new RangeError("it was deleted");
  }

  close(): void {
    this.#pool.close(this);
  }

  /** @throws StorageError */
  delete(): void {
    this.close();
    this.#deleted = true;
    try {
      fs.rmSync(this.path, { force: true });
    } catch (error) {
      throw new StorageError(this.path, "deleted", error);
    }
  }
}
