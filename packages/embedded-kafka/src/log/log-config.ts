/** The settings of a topic that its partitions act on, as numbers and flags. */
export interface LogConfig {
  /** `cleanup.policy` holds `delete`. */
  readonly deletes: boolean;
  /** `cleanup.policy` holds `compact`. */
  readonly compacts: boolean;
  /** `delete.retention.ms`: how long a tombstone stays after the first compaction that saw it. */
  readonly deleteRetentionMs: number;
  /** `min.compaction.lag.ms`: how long a record stays in any case. */
  readonly minCompactionLagMs: number;
  /** `min.cleanable.dirty.ratio`: the share of a log not compacted yet, above which it is worth it. */
  readonly minCleanableDirtyRatio: number;
  /** `retention.ms`; negative: no limit. */
  readonly retentionMs: number;
  /** `retention.bytes`; negative: no limit. */
  readonly retentionBytes: number;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly maxMessageBytes: number;
  /** `message.timestamp.type` is `LogAppendTime`. */
  readonly logAppendTime: boolean;
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}
