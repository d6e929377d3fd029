/** What a partition's log asks of a folder, where it has one. */

/** The file of one segment: its batches, one after the other, and nothing else. */
export interface SegmentFile {
  /**
   * Adds to the end: all of the bytes, or none.
   *
   * @throws StorageError
   */
  append(bytes: Buffer): void;
  /** @throws StorageError */
  read(position: number, length: number): Buffer;
}

/** A batch that was found in a file. */
export interface FoundBatch {
  readonly position: number;
  /** As it is in the file; only for the length of the call. */
  readonly bytes: Buffer;
}

export interface FoundSegment {
  readonly baseOffset: number;
  readonly file: SegmentFile;
  /** Every batch that is whole, in order. Ends at the first one that is not, which is cut off with all after it. */
  readonly batches: Iterable<FoundBatch>;
}

export interface PartitionFiles {
  /** The log's start as it was kept last; 0 before. */
  readonly logStartOffset: number;
  /** Segments in order. Each one's batches have to be taken before the next segment. */
  load(): Iterable<FoundSegment>;
  /** A new segment behind the others. */
  create(baseOffset: number): SegmentFile;
  /** One segment in place of all whose base offsets are in `[baseOffset, endOffset)`; none for no batches. */
  replace(baseOffset: number, endOffset: number, batches: readonly Buffer[]): SegmentFile | null;
  /** Keeps the log's start. To be called before segments below it are dropped. */
  keepLogStart(offset: number): void;
  delete(file: SegmentFile): void;
}
