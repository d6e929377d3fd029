/**
 * The two topics in which Apache Kafka's coordinators keep what they know. Clients meet them in Metadata, marked as
 * internal, from the first question after a coordinator on. Here they hold no records: offsets and transactions are kept
 * elsewhere, and only the topics' shape is the same.
 */
import type { Coordinated } from "./brokers.ts";

export const internalTopicNames: Readonly<Record<Coordinated, string>> = {
  group: "__consumer_offsets",
  transaction: "__transaction_state",
};

/** Settings that Apache Kafka gives them. */
const configs: Readonly<Record<Coordinated, ReadonlyMap<string, string>>> = {
  group: new Map([
    ["compression.type", "producer"],
    ["cleanup.policy", "compact"],
    ["segment.bytes", "104857600"],
  ]),
  transaction: new Map([
    ["compression.type", "uncompressed"],
    ["min.insync.replicas", "1"],
    ["cleanup.policy", "compact"],
    ["segment.bytes", "104857600"],
    ["unclean.leader.election.enable", "false"],
  ]),
};

const kinds: readonly Coordinated[] = ["group", "transaction"];

/** Whose topic it is; undefined for people's topics. */
function kindOf(name: string): Coordinated | undefined {
  return kinds.find((kind) => internalTopicNames[kind] === name);
}

export function isInternal(name: string): boolean {
  return kindOf(name) !== undefined;
}

/** The settings of an internal topic; undefined for people's topics. */
export function internalTopicConfigs(name: string): ReadonlyMap<string, string> | undefined {
  const kind = kindOf(name);
  return kind === undefined ? undefined : configs[kind];
}
