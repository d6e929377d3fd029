/** The library's errors: each has a stable code, names what is at fault, and says what to do. */
import { explained } from "./io/access.ts";
import type { RecordPosition } from "./ports.ts";

export type StreamsErrorCode =
  | "STREAMS_BAD_DURATION"
  | "STREAMS_BAD_TOPOLOGY"
  | "STREAMS_BAD_OPTION"
  | "STREAMS_CODEC"
  | "STREAMS_KAFKA_REFUSED"
  | "STREAMS_DELIVERY"
  | "STREAMS_CLOSED"
  | "STREAMS_OVERFLOW"
  | "STREAMS_INVALID_RECORD"
  | "STREAMS_PROCESSING"
  | "STREAMS_STALLED"
  | "STREAMS_OFFSET_OUT_OF_RANGE"
  | "STREAMS_DRIVER";

/** Every error that this library throws. */
export class StreamsError extends Error {
  override readonly name: string = "StreamsError";
  readonly code: StreamsErrorCode;
  /** Whether the same call may succeed later without any change. */
  readonly retriable: boolean;

  constructor(
    code: StreamsErrorCode,
    message: string,
    options: { retriable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retriable = options.retriable ?? false;
  }
}

/** A pipeline's description can't be run. */
export class TopologyError extends StreamsError {
  override readonly name = "TopologyError";
  constructor(message: string) {
    super("STREAMS_BAD_TOPOLOGY", message);
  }
}

/** A record could not be delivered to Kafka. */
export class DeliveryError extends StreamsError {
  override readonly name = "DeliveryError";
  readonly topic: string;
  constructor(topic: string, reason: string, options: { retriable?: boolean; cause?: unknown } = {}) {
    super("STREAMS_DELIVERY", `A record for topic "${topic}" was not delivered: ${reason}`, options);
    this.topic = topic;
  }
}

/** Kafka refused in a way that retrying can't fix: credentials, certificates, permissions, unsupported versions. */
export class KafkaRefusedError extends StreamsError {
  override readonly name = "KafkaRefusedError";
  /** Its message says everything; a stack trace would only bury it. */
  readonly isExplained = true;
  constructor(what: string, cause: unknown) {
    super("STREAMS_KAFKA_REFUSED", `Kafka refused ${what}: ${explained(cause)}`, { cause });
  }
}

/** Records were deleted (by retention) before they were processed, and the app's `onRecordsGone` is "fail". */
export class RecordsGoneError extends StreamsError {
  override readonly name = "RecordsGoneError";
  /** Its message says everything; a stack trace would only bury it. */
  readonly isExplained = true;
  /** The committed position: the first record that is missing. */
  readonly at: RecordPosition;
  constructor({ topic, partition, offset }: RecordPosition, oldest: number) {
    super(
      "STREAMS_OFFSET_OUT_OF_RANGE",
      `The next records of ${topic}[${partition}] were deleted before they were processed (committed offset ${offset}, ` +
        `oldest record ${oldest}). To continue without them, set onRecordsGone to "earliest" or "latest".`,
    );
    this.at = { topic, partition, offset };
  }
}

/** A record doesn't match its topic's schema, and the app's `onInvalid` is "fail". */
export class InvalidRecordError extends StreamsError {
  override readonly name = "InvalidRecordError";
  readonly at: RecordPosition;
  readonly problems: readonly string[];
  constructor({ topic, partition, offset }: RecordPosition, problems: readonly string[]) {
    super(
      "STREAMS_INVALID_RECORD",
      `${topic}[${partition}] offset ${offset} doesn't match the schema of "${topic}": ${problems.join("; ")}. ` +
        'To skip past such records, set onInvalid to "dead-letter" or "skip".',
    );
    this.at = { topic, partition, offset };
    this.problems = problems;
  }
}

/** A function of the pipeline threw on every attempt for a record, and `onFailure` is "fail". */
export class ProcessingError extends StreamsError {
  override readonly name = "ProcessingError";
  readonly at: RecordPosition;
  /** The function's step, as named in diagrams. */
  readonly step: string | undefined;
  constructor(
    { topic, partition, offset }: RecordPosition,
    {
      reason,
      step,
      cause,
    }: { readonly reason: string; readonly step: string | undefined; readonly cause: unknown },
  ) {
    const where = step === undefined ? "" : ` in "${step}"`;
    super(
      "STREAMS_PROCESSING",
      `${topic}[${partition}] offset ${offset} can't be processed${where}: ${reason}. ` +
        'To skip past such records, set onFailure to "dead-letter" or "skip".',
      { cause },
    );
    this.at = { topic, partition, offset };
    this.step = step;
  }
}

/** A partition has records waiting, and none has been finished for too long. */
export class StalledError extends StreamsError {
  override readonly name = "StalledError";
  constructor(at: string, seconds: number) {
    super(
      "STREAMS_STALLED",
      `${at} has been processing for ${seconds} s: a function of the pipeline does not return. ` +
        "Give it a time limit of its own, or raise stallAfterMs.",
    );
  }
}

/** The test driver was used in a way that makes no sense in a test. */
export class DriverError extends StreamsError {
  override readonly name = "DriverError";
  constructor(message: string) {
    super("STREAMS_DRIVER", message);
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
