/**
 * A broker's folder: `state.journal`, and `topics/<id>-<name>/<partition>/` with the segments.
 *
 * Changes are written in the order in which they happen, each before it is answered. The files are in the operating
 * system's cache then, so that after the end of the process, however it came, they are a state that was once held.
 */
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { PartitionFiles } from "../log/partition-files.ts";
import type { Log } from "../log-port.ts";
import { DataFolderError, StorageError } from "./errors.ts";
import { FilePool } from "./file-pool.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { Journal } from "./journal.ts";
import type { Keeping, LogDir, TopicName } from "./keeping.ts";
import { PartitionFolder } from "./partition-folder.ts";
import { textIn } from "./saved.ts";

const FORMAT = 1;
const JOURNAL = "state.journal";
/** May be in a folder that is otherwise empty. */
const OURS = ["lock", "lock.owner", "lock-journal", `${JOURNAL}.new`, "topics", ".gitignore", "lost+found"];
/** Of the topic's name in a folder's: file systems have limits, and the id tells topics apart. */
const NAME_LENGTH_MOST = 100;

export class DataFolder implements Keeping {
  readonly state: Journal;
  readonly #path: string;
  readonly #log: Log;
  readonly #lock: FolderLock;
  readonly #pool = new FilePool();
  readonly #partitions = new Map<string, PartitionFolder[]>();

  /**
   * Takes a folder, made where it is missing.
   *
   * @throws DataFolderError where another broker has it, or something else is in it; StorageError
   */
  constructor(path: string, log: Log) {
    this.#path = resolve(path);
    this.#log = log;
    makeFolder(this.#path);
    this.#lock = lockFolder(this.#path);
    try {
      mustBeOurs(this.#path);
      this.state = new Journal(join(this.#path, JOURNAL), this.#pool, (bytes, file) =>
        this.#cut(bytes, file),
      );
      this.#checkFormat();
      this.#finishDeletions();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get logDir(): LogDir {
    const path = join(this.#path, "topics");
    try {
      const { blocks, bavail, bsize } = fs.statfsSync(this.#path);
      return { path, totalBytes: blocks * bsize, usableBytes: bavail * bsize };
    } catch {
      return { path, totalBytes: -1, usableBytes: -1 };
    }
  }

  #cut(bytes: number, file: string): void {
    this.#log.warn({ file, bytes }, `a torn tail was truncated: ${bytes} bytes of ${file}`);
  }

  #checkFormat(): void {
    const format = this.state.get(["format"]);
    if (format === undefined) this.state.put(["format"], FORMAT);
    else if (format !== FORMAT) {
      throw new DataFolderError(
        `${this.#path} has format ${String(format)}, but this broker uses format ${FORMAT}: choose another folder`,
      );
    }
  }

  #topicPath({ id, name }: TopicName): string {
    // Windows takes no trailing dot.
    return join(this.#path, "topics", `${id}-${name.slice(0, NAME_LENGTH_MOST)}`.replace(/\.+$/, ""));
  }

  partitionFiles(topic: TopicName, index: number): PartitionFiles {
    const key = ["start", topic.id, index] as const;
    const kept = this.state.get(key);
    const folder = new PartitionFolder({
      path: join(this.#topicPath(topic), String(index)),
      pool: this.#pool,
      logStartOffset: typeof kept === "number" ? kept : 0,
      keepLogStart: (offset) => this.state.put(key, offset),
      cut: (bytes, file) => this.#cut(bytes, file),
    });
    const partitions = this.#partitions.get(topic.id) ?? [];
    partitions.push(folder);
    this.#partitions.set(topic.id, partitions);
    return folder;
  }

  deleteTopic(topic: TopicName, forget: () => void): void {
    const partitions = this.#partitions.get(topic.id) ?? [];
    this.state.together(() => {
      forget();
      this.state.put(["deleted", topic.id], topic.name);
      for (const [index] of partitions.entries()) this.state.delete(["start", topic.id, index]);
    });
    for (const partition of partitions) partition.deleteAll();
    this.#partitions.delete(topic.id);
    this.#removeFiles(topic);
  }

  #removeFiles(topic: TopicName): void {
    const path = this.#topicPath(topic);
    try {
      fs.rmSync(path, { recursive: true, force: true });
    } catch (error) {
      throw new StorageError(path, "deleted", error);
    }
    this.state.delete(["deleted", topic.id]);
  }

  /** Of topics whose deletion was answered, or about to be, when the process ended. */
  #finishDeletions(): void {
    for (const entry of this.state.entries("deleted")) {
      this.#removeFiles({ id: textIn(entry, 1), name: String(entry.value) });
    }
  }

  close(): void {
    this.#pool.closeAll();
    this.#lock.release();
  }
}

function makeFolder(path: string): void {
  try {
    makeWithParents(path);
  } catch (error) {
    throw new DataFolderError(
      `${path} can't be used as a data folder: ${error instanceof Error ? error.message : ""}`,
    );
  }
}

/** Node's `recursive` tries for ever where a parent is there and yet a folder in it is ENOENT, as /proc answers. */
function makeWithParents(path: string): void {
  const parent = dirname(path);
  if (!fs.existsSync(parent)) makeWithParents(parent);
  try {
    fs.mkdirSync(path);
  } catch (error) {
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Nobody's files are to be mixed with a broker's. */
function mustBeOurs(path: string): void {
  if (fs.existsSync(join(path, JOURNAL))) return;
  const other = fs.readdirSync(path).find((name) => !OURS.includes(name));
  if (other === undefined) return;
  throw new DataFolderError(`${path} contains other files ("${other}"): choose an empty or missing folder`);
}
