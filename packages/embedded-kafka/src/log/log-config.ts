/** The settings of a topic that its partitions act on, as numbers and flags. */
export interface LogConfig {
  /** `cleanup.policy` holds `delete`. */
  readonly deletes: boolean;
  /** `cleanup.policy` holds `compact`. */
  readonly compacts: boolean;
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
