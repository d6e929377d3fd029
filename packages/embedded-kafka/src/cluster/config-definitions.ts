/**
 * The settings of topics and brokers that are known, with their types, defaults and bounds:
 * https://kafka.apache.org/documentation/#topicconfigs and #brokerconfigs.
 *
 * `acts` marks those that this broker follows; the others are kept and shown, and change nothing.
 */

export type ConfigType = "boolean" | "string" | "int" | "long" | "double" | "list";

export interface ConfigDefinition {
  readonly name: string;
  readonly type: ConfigType;
  readonly default: string;
  readonly min?: number;
  readonly max?: number;
  /** The only values that are legal; for a list, its only elements. */
  readonly oneOf?: readonly string[];
  /** What the whole value looks like, and in words. */
  readonly form?: { readonly pattern: RegExp; readonly inWords: string };
  /** Topic settings: the broker setting that gives the default. */
  readonly brokerName?: string;
  readonly acts: boolean;
  /** The broker setting has no value unless it is given one, and so is no synonym of the default. */
  readonly unsetByDefault?: boolean;
  /** Broker settings that a running broker can't change. */
  readonly readOnly?: boolean;
}

const MAX_INT = 2 ** 31 - 1;
const MAX_LONG_TEXT = "9223372036854775807";

type Extra = Partial<Omit<ConfigDefinition, "name" | "type" | "default">>;

const gzipLevel = { pattern: /^(-1|[1-9])$/, inWords: "Value must be between 1 and 9 or equal to -1" };
const throttledReplicas = {
  pattern: /^(\*|(\d+:\d+(,\d+:\d+)*)?)$/,
  inWords: "it must be '*' or a list of [partitionId]:[brokerId],[partitionId]:[brokerId],...",
};
const noTieredStorage = { pattern: /^false$/, inWords: "there is no tiered storage" };

function define(name: string, type: ConfigType, value: string, extra: Extra = {}): ConfigDefinition {
  return { name, type, default: value, acts: false, ...extra };
}

const acts = { acts: true };

export const topicConfigs: readonly ConfigDefinition[] = [
  define("cleanup.policy", "list", "delete", {
    ...acts,
    oneOf: ["delete", "compact"],
    brokerName: "log.cleanup.policy",
  }),
  define("compression.gzip.level", "int", "-1", { form: gzipLevel, brokerName: "compression.gzip.level" }),
  define("compression.lz4.level", "int", "9", { min: 1, max: 17, brokerName: "compression.lz4.level" }),
  define("compression.type", "string", "producer", {
    oneOf: ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"],
    brokerName: "compression.type",
  }),
  define("compression.zstd.level", "int", "3", {
    min: -131072,
    max: 22,
    brokerName: "compression.zstd.level",
  }),
  define("delete.retention.ms", "long", "86400000", {
    ...acts,
    min: 0,
    brokerName: "log.cleaner.delete.retention.ms",
  }),
  define("file.delete.delay.ms", "long", "60000", { min: 0, brokerName: "log.segment.delete.delay.ms" }),
  define("flush.messages", "long", MAX_LONG_TEXT, { min: 1, brokerName: "log.flush.interval.messages" }),
  define("flush.ms", "long", MAX_LONG_TEXT, { min: 0 }),
  define("follower.replication.throttled.replicas", "list", "", { form: throttledReplicas }),
  define("index.interval.bytes", "int", "4096", { min: 0, brokerName: "log.index.interval.bytes" }),
  define("leader.replication.throttled.replicas", "list", "", { form: throttledReplicas }),
  define("local.retention.bytes", "long", "-2", { min: -2, brokerName: "log.local.retention.bytes" }),
  define("local.retention.ms", "long", "-2", { min: -2, brokerName: "log.local.retention.ms" }),
  define("max.compaction.lag.ms", "long", MAX_LONG_TEXT, {
    min: 1,
    brokerName: "log.cleaner.max.compaction.lag.ms",
  }),
  define("max.message.bytes", "int", "1048588", { ...acts, min: 0, brokerName: "message.max.bytes" }),
  define("message.timestamp.after.max.ms", "long", "3600000", {
    ...acts,
    min: 0,
    brokerName: "log.message.timestamp.after.max.ms",
  }),
  define("message.timestamp.before.max.ms", "long", MAX_LONG_TEXT, {
    ...acts,
    min: 0,
    brokerName: "log.message.timestamp.before.max.ms",
  }),
  define("message.timestamp.type", "string", "CreateTime", {
    ...acts,
    oneOf: ["CreateTime", "LogAppendTime"],
    brokerName: "log.message.timestamp.type",
  }),
  define("min.cleanable.dirty.ratio", "double", "0.5", {
    ...acts,
    min: 0,
    max: 1,
    brokerName: "log.cleaner.min.cleanable.ratio",
  }),
  define("min.compaction.lag.ms", "long", "0", {
    ...acts,
    min: 0,
    brokerName: "log.cleaner.min.compaction.lag.ms",
  }),
  define("min.insync.replicas", "int", "1", { min: 1, brokerName: "min.insync.replicas" }),
  define("preallocate", "boolean", "false", { brokerName: "log.preallocate" }),
  define("remote.log.copy.disable", "boolean", "false"),
  define("remote.log.delete.on.disable", "boolean", "false"),
  define("remote.storage.enable", "boolean", "false", { form: noTieredStorage }),
  define("retention.bytes", "long", "-1", { ...acts, brokerName: "log.retention.bytes" }),
  define("retention.ms", "long", "604800000", {
    ...acts,
    min: -1,
    brokerName: "log.retention.ms",
    unsetByDefault: true,
  }),
  define("segment.bytes", "int", "1073741824", {
    ...acts,
    min: 1048576,
    max: MAX_INT,
    brokerName: "log.segment.bytes",
  }),
  define("segment.index.bytes", "int", "10485760", { min: 4, brokerName: "log.index.size.max.bytes" }),
  define("segment.jitter.ms", "long", "0", {
    min: 0,
    brokerName: "log.roll.jitter.ms",
    unsetByDefault: true,
  }),
  define("segment.ms", "long", "604800000", {
    ...acts,
    min: 1,
    brokerName: "log.roll.ms",
    unsetByDefault: true,
  }),
  define("unclean.leader.election.enable", "boolean", "false", {
    brokerName: "unclean.leader.election.enable",
  }),
];

/** The broker settings that give topics their defaults: same type, default and bounds. */
const topicDefaults: readonly ConfigDefinition[] = topicConfigs.flatMap((config) => {
  const { brokerName, ...rest } = config;
  return brokerName === undefined ? [] : [{ ...rest, name: brokerName }];
});

const readOnly = { readOnly: true };

export const brokerConfigs: readonly ConfigDefinition[] = [
  ...topicDefaults,
  define("auto.create.topics.enable", "boolean", "true", { ...acts, ...readOnly }),
  define("connections.max.idle.ms", "long", "600000", { ...acts, ...readOnly, min: 1 }),
  define("default.replication.factor", "int", "1", { ...acts, ...readOnly, min: 1 }),
  define("delete.topic.enable", "boolean", "true", { ...acts, ...readOnly }),
  define("group.initial.rebalance.delay.ms", "int", "0", { ...acts, ...readOnly, min: 0 }),
  define("group.max.session.timeout.ms", "int", "1800000", { ...acts, ...readOnly, min: 1 }),
  define("group.max.size", "int", String(MAX_INT), { ...acts, ...readOnly, min: 1 }),
  define("group.min.session.timeout.ms", "int", "6000", { ...acts, ...readOnly, min: 1 }),
  define("log.cleaner.backoff.ms", "long", "15000", { ...acts, ...readOnly, min: 1 }),
  define("log.retention.check.interval.ms", "long", "300000", { ...acts, ...readOnly, min: 1 }),
  define("num.partitions", "int", "1", { ...acts, ...readOnly, min: 1 }),
  define("offset.metadata.max.bytes", "int", "4096", { ...acts, ...readOnly, min: 0 }),
  define("offsets.retention.minutes", "int", "10080", { ...acts, ...readOnly, min: 1 }),
  define("producer.id.expiration.ms", "int", "86400000", { ...acts, min: 1 }),
  define("socket.request.max.bytes", "int", "104857600", { ...acts, ...readOnly, min: 1 }),
  define("transaction.max.timeout.ms", "int", "900000", { ...acts, ...readOnly, min: 1 }),
  define("transactional.id.expiration.ms", "int", "604800000", { ...acts, ...readOnly, min: 1 }),
];

const types: { readonly [T in ConfigType]: { code: number; fits: (value: string) => boolean } } = {
  boolean: { code: 1, fits: (value) => value === "true" || value === "false" },
  string: { code: 2, fits: () => true },
  int: { code: 3, fits: (value) => isInteger(value, 31n) },
  long: { code: 5, fits: (value) => isInteger(value, 63n) },
  double: { code: 6, fits: (value) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) },
  list: { code: 7, fits: () => true },
};

function isInteger(value: string, bits: bigint): boolean {
  if (!/^[+-]?\d{1,19}$/.test(value)) return false;
  const number = BigInt(value.replace("+", ""));
  return -(2n ** bits) <= number && number < 2n ** bits;
}

/** The number that DescribeConfigs uses for a type (KIP-569). */
export function configTypeCode(type: ConfigType): number {
  return types[type].code;
}

/** The elements of a list setting. */
export function listElements(value: string): string[] {
  return value
    .split(",")
    .map((element) => element.trim())
    .filter((element) => element !== "");
}

/** A value as Apache Kafka reads and shows it: without blanks around it or its elements, a boolean in small letters. */
export function configText({ type }: ConfigDefinition, value: string): string {
  if (type === "list") return listElements(value).join(",");
  return type === "boolean" ? value.trim().toLowerCase() : value.trim();
}

/** Why a value is not legal for a setting; null where it is. */
export function configProblem(definition: ConfigDefinition, given: string): string | null {
  const { name, type, min, max, oneOf, form } = definition;
  const value = configText(definition, given);
  if (!types[type].fits(value)) return `Invalid value ${value} for configuration ${name}: not a ${type}`;
  const number = Number(value);
  if (min !== undefined && number < min) {
    return `Invalid value ${value} for configuration ${name}: Value must be at least ${min}`;
  }
  if (max !== undefined && number > max) {
    return `Invalid value ${value} for configuration ${name}: Value must be no more than ${max}`;
  }
  const wrong = type === "list" ? listElements(value).find((e) => !(oneOf?.includes(e) ?? true)) : value;
  if (oneOf !== undefined && wrong !== undefined && !oneOf.includes(wrong)) {
    return `Invalid value ${wrong} for configuration ${name}: it must be one of ${oneOf.join(", ")}`;
  }
  if (form !== undefined && !form.pattern.test(value)) {
    return `Invalid value ${value} for configuration ${name}: ${form.inWords}`;
  }
  return null;
}
