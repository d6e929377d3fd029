/** Settings as DescribeConfigs and CreateTopics show them. */
import {
  brokerConfigs,
  type ConfigDefinition,
  configTypeCode,
  topicConfigs,
} from "../cluster/config-definitions.ts";
import { type ConfigStore, type ConfigSynonym, configSource } from "../cluster/config-store.ts";

export interface ConfigDescription {
  readonly name: string;
  readonly value: string;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly ConfigSynonym[];
  readonly configType: number;
  readonly documentation: string;
}

/** @param names only these; null or none for all. */
export function describeTopicConfigs(
  store: ConfigStore,
  overrides: ReadonlyMap<string, string>,
  names: readonly string[] | null,
): ConfigDescription[] {
  return wanted(topicConfigs, names).map((definition) =>
    describe(definition, store.topicSynonyms(definition.name, overrides)),
  );
}

/** @param names only these; null or none for all. */
export function describeBrokerConfigs(
  store: ConfigStore,
  names: readonly string[] | null,
): ConfigDescription[] {
  return wanted(brokerConfigs, names).map((definition) =>
    describe(definition, store.brokerSynonyms(definition.name)),
  );
}

function wanted(
  all: readonly ConfigDefinition[],
  names: readonly string[] | null,
): readonly ConfigDefinition[] {
  return names === null || names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

function describe(definition: ConfigDefinition, synonyms: readonly ConfigSynonym[]): ConfigDescription {
  return {
    name: definition.name,
    value: synonyms[0]?.value ?? definition.default,
    readOnly: definition.readOnly ?? false,
    configSource: synonyms[0]?.source ?? configSource.default,
    isSensitive: false,
    synonyms,
    configType: configTypeCode(definition.type),
    documentation: definition.acts
      ? "The embedded broker acts on this setting."
      : "The embedded broker keeps and shows this setting, and it changes nothing.",
  };
}
