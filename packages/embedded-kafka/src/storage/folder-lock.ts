/**
 * Keeps a second broker out of a folder. The lock is the operating system's, taken through SQLite, which Node has built
 * in: it ends with the process however that ends, and needs no guess about process ids.
 */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { DataFolderError, StorageError } from "./errors.ts";

const LOCKED = 5;
const CANT_OPEN = 14;

export interface FolderLock {
  release(): void;
}

/** @throws DataFolderError where another broker has the folder. */
export function lockFolder(folder: string): FolderLock {
  // Only brokers with a folder pay for the module.
  const { DatabaseSync }: typeof import("node:sqlite") = createRequire(import.meta.url)("node:sqlite");
  const path = join(folder, "lock");
  const ownerPath = join(folder, "lock.owner");
  const database = new DatabaseSync(path, { open: false });
  try {
    database.open();
    database.exec("PRAGMA journal_mode=OFF; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    if (database.isOpen) database.close();
    if (codeOf(error) === LOCKED) {
      throw new DataFolderError(
        `${folder} is in use by another broker${ownerIn(ownerPath)}: stop that broker, or choose another folder`,
      );
    }
    throw new StorageError(path, "locked", reasonOf(error, path));
  }
  fs.writeFileSync(ownerPath, `${process.pid}\n`);
  return {
    release() {
      if (!database.isOpen) return;
      fs.rmSync(ownerPath, { force: true });
      database.close();
    },
  };
}

/** SQLite does not tell what the operating system has against a file; asking again does. */
function reasonOf(error: unknown, path: string): unknown {
  if (codeOf(error) !== CANT_OPEN) return error;
  try {
    fs.closeSync(fs.openSync(path, "a"));
    return error;
  } catch (reason) {
    return reason;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "errcode" in error ? error.errcode : undefined;
}

function ownerIn(path: string): string {
  try {
    return ` (process ${fs.readFileSync(path, "utf8").trim()})`;
  } catch {
    return "";
  }
}
