/** What can go wrong with a broker's folder. */

/** The file system refused something; the broker continues, and the request fails. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code = "BROKER_STORAGE";

  constructor(path: string, doing: string, cause: unknown) {
    super(`${path} can't be ${doing}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The folder can't be used: another broker uses it, it contains other files, or it has another format. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
  readonly code = "BROKER_DATA_FOLDER";
}
