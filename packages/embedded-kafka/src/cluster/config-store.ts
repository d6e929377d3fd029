/** Broker settings and topic overrides, and the value that holds: the topic's, else the broker's, else the default. */

import type { LogConfig } from "../log/log-config.ts";
import { textIn } from "../storage/saved.ts";
import { noState, type StateStore } from "../storage/state-store.ts";
import {
  brokerConfigs,
  type ConfigDefinition,
  configProblem,
  configText,
  listElements,
  topicConfigs,
} from "./config-definitions.ts";

/** A setting that startBroker was given and that can't be. */
export class InvalidConfigError extends Error {
  override readonly name = "InvalidConfigError";
  readonly code = "BROKER_INVALID_CONFIG";
}

/** Where a value comes from, by the numbers of DescribeConfigs (KIP-226). */
export const configSource = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
} as const;

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string;
  readonly source: number;
}

const topicDefinitions = new Map(topicConfigs.map((config) => [config.name, config]));
const brokerDefinitions = new Map(brokerConfigs.map((config) => [config.name, config]));

export function topicDefinition(name: string): ConfigDefinition | undefined {
  return topicDefinitions.get(name);
}

export function brokerDefinition(name: string): ConfigDefinition | undefined {
  return brokerDefinitions.get(name);
}

/** Every problem of a set of topic settings, in words. */
export function topicConfigProblems(configs: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const [name, value] of configs) {
    const definition = topicDefinitions.get(name);
    const problem =
      definition === undefined ? `Unknown topic config name: ${name}` : configProblem(definition, value);
    if (problem !== null) problems.push(problem);
  }
  const [least, most] = [configs.get("min.compaction.lag.ms"), configs.get("max.compaction.lag.ms")];
  if (least !== undefined && most !== undefined && Number(least) > Number(most)) {
    problems.push(`min.compaction.lag.ms (${least}) is greater than max.compaction.lag.ms (${most})`);
  }
  return problems;
}

/** A topic setting's value as it is read and shown; of an unknown one, as it came. */
export function topicConfigText(name: string, value: string): string {
  const definition = topicDefinitions.get(name);
  return definition === undefined ? value : configText(definition, value);
}

function brokerText(name: string, value: string): string {
  const definition = brokerDefinitions.get(name);
  return definition === undefined ? value : configText(definition, value);
}

export class ConfigStore {
  readonly #static: ReadonlyMap<string, string>;
  readonly #dynamic = new Map<string, string>();
  #state: StateStore = noState;

  /**
   * @param given broker settings by Kafka's names.
   * @throws InvalidConfigError with every unknown name and wrong value.
   */
  constructor(given: Readonly<Record<string, string>>) {
    const problems = Object.entries(given).flatMap(([name, value]) => {
      const definition = brokerDefinitions.get(name);
      if (definition === undefined) return [`unknown broker setting ${name}`];
      return configProblem(definition, value) ?? [];
    });
    if (problems.length > 0) throw new InvalidConfigError(problems.join("; "));
    this.#static = new Map(Object.entries(given).map(([name, value]) => [name, brokerText(name, value)]));
  }

  /** Takes over what was set while running, and keeps what will be. */
  restore(state: StateStore): void {
    this.#state = state;
    for (const entry of state.entries("broker config")) {
      if (typeof entry.value === "string") this.#dynamic.set(textIn(entry, 1), entry.value);
    }
  }

  /** Every value that a broker setting has, the one that holds first. */
  brokerSynonyms(name: string): ConfigSynonym[] {
    const found: ConfigSynonym[] = [];
    const dynamic = this.#dynamic.get(name);
    if (dynamic !== undefined) found.push({ name, value: dynamic, source: configSource.dynamicBroker });
    const fixed = this.#static.get(name);
    if (fixed !== undefined) found.push({ name, value: fixed, source: configSource.staticBroker });
    const definition = brokerDefinitions.get(name);
    if (definition !== undefined && definition.unsetByDefault !== true) {
      found.push({ name, value: definition.default, source: configSource.default });
    }
    return found;
  }

  /** Every value that a topic's setting has, the one that holds first. */
  topicSynonyms(name: string, overrides: ReadonlyMap<string, string>): ConfigSynonym[] {
    const found: ConfigSynonym[] = [];
    const own = overrides.get(name);
    if (own !== undefined) found.push({ name, value: own, source: configSource.topic });
    const definition = topicDefinitions.get(name);
    if (definition?.brokerName !== undefined) found.push(...this.brokerSynonyms(definition.brokerName));
    return found;
  }

  /** The value of a topic's setting that holds. */
  topicValue(name: string, overrides: ReadonlyMap<string, string>): string {
    return this.topicSynonyms(name, overrides)[0]?.value ?? topicDefinitions.get(name)?.default ?? "";
  }

  /** The value of a broker setting that holds. */
  brokerValue(name: string): string {
    return this.brokerSynonyms(name)[0]?.value ?? brokerDefinitions.get(name)?.default ?? "";
  }

  brokerNumber(name: string): number {
    return Number(this.brokerValue(name));
  }

  brokerFlag(name: string): boolean {
    return this.brokerValue(name) === "true";
  }

  /** Broker settings that were changed while running. */
  get dynamicBrokerNames(): readonly string[] {
    return [...this.#dynamic.keys()];
  }

  /** Sets or, with null, removes a broker setting while running. */
  setBroker(name: string, given: string | null): void {
    if (given === null) {
      this.#state.delete(["broker config", name]);
      this.#dynamic.delete(name);
      return;
    }
    const value = brokerText(name, given);
    this.#state.put(["broker config", name], value);
    this.#dynamic.set(name, value);
  }

  /** What a topic's partitions act on. */
  logConfig(overrides: ReadonlyMap<string, string>): LogConfig {
    const text = (name: string) => this.topicValue(name, overrides);
    const number = (name: string) => Number(text(name));
    const policies = listElements(text("cleanup.policy"));
    return {
      deletes: policies.includes("delete"),
      compacts: policies.includes("compact"),
      deleteRetentionMs: number("delete.retention.ms"),
      minCompactionLagMs: number("min.compaction.lag.ms"),
      minCleanableDirtyRatio: number("min.cleanable.dirty.ratio"),
      retentionMs: number("retention.ms"),
      retentionBytes: number("retention.bytes"),
      segmentBytes: number("segment.bytes"),
      segmentMs: number("segment.ms"),
      maxMessageBytes: number("max.message.bytes"),
      logAppendTime: text("message.timestamp.type") === "LogAppendTime",
      timestampBeforeMaxMs: number("message.timestamp.before.max.ms"),
      timestampAfterMaxMs: number("message.timestamp.after.max.ms"),
    };
  }
}
