/** Streams of typed records on Kafka: pipelines, publishers, subscribers. */
export { agg, type QuantileOptions } from "./aggregates/agg.ts";
export type { Aggregate, Aggregates, ResultOf } from "./aggregates/aggregate.ts";
export {
  DeliveryError,
  InvalidRecordError,
  KafkaRefusedError,
  ProcessingError,
  RecordsGoneError,
  StalledError,
  StreamsError,
  TopologyError,
} from "./errors.ts";
export {
  type GroupLook,
  type GroupWatch,
  type GroupWatchOptions,
  type WatchedGroup,
  watchGroups,
} from "./io/group-watch.ts";
export { createKafka } from "./io/kafka-client.ts";
export { type LiveTableOptions, liveTable, type Print, type TerminalOutput } from "./io/live-table.ts";
export {
  createPublisher,
  type Publisher,
  type PublisherHealth,
  type PublisherOptions,
} from "./io/publisher.ts";
export {
  createSubscriber,
  type InvalidRecord,
  START_MARK,
  type SubscribedRecord,
  type SubscribeFrom,
  type Subscriber,
  type SubscriberHealth,
  type SubscriberOptions,
  type SubscriberStatus,
} from "./io/subscriber.ts";
export { type EnsureTopicsOptions, ensureTopics, type TopicDefinition } from "./io/topics.ts";
export type {
  Cancel,
  Clock,
  Decoded,
  IncomingRecord,
  KafkaConnection,
  Log,
  Metrics,
  NewTopics,
  RecordPosition,
  TlsOptions,
  TopicLike,
} from "./ports.ts";
export { createStreamApp, type StreamApp, type StreamAppOptions } from "./runtime/app.ts";
export type { Guarantee } from "./runtime/commits.ts";
export {
  type DeadLetter,
  type DeadLetterCode,
  deadLetterHeaders,
  deadLetterTopic,
  deadLetterTopicName,
  parseDeadLetter,
} from "./runtime/dead-letters.ts";
export { resultHeaders } from "./runtime/result-headers.ts";
export type { AppHealth } from "./runtime/runner.ts";
export type { OnRecordsGone, StartFrom } from "./runtime/start-offsets.ts";
export type {
  ApplyAsyncOptions,
  Branches,
  BranchPredicate,
  ChosenTopicOptions,
  ClosingWindow,
  SessionAggregation,
  SessionWindow,
  StatefulOptions,
  StreamingDataFrame,
  TopicSink,
  TrailingWindow,
  WindowAggregation,
} from "./topology/dataframe.ts";
export type { DescribeFormat } from "./topology/describe.ts";
export type { Duration } from "./topology/duration.ts";
export type { KeyState, RecordContext } from "./topology/nodes.ts";
export type { GroupByCodecOptions, GroupByOptions, IsJson, ValueCodec } from "./topology/repartition.ts";
export type { OnFailure, StepOptions, StepPolicy } from "./topology/step.ts";
export type {
  HoppingWindowOptions,
  TrailingWindowOptions,
  WindowOptions,
  WindowResult,
} from "./topology/windows.ts";
