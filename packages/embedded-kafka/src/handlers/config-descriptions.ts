/** Settings as DescribeConfigs and CreateTopics show them. */
import {
  brokerConfigs,
  type ConfigDefinition,
  configTypeCode,
  topicConfigs,
} from "../cluster/config-definitions.ts";
import {
  brokerDefinition,
  type ConfigStore,
  type ConfigSynonym,
  configSource,
} from "../cluster/config-store.ts";
import { type OtherBrokerConfig, otherBrokerConfigs } from "../cluster/other-broker-configs.ts";

export interface ConfigDescription {
  readonly name: string;
  /** Null where there is none, or it is nobody's business. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly {
    readonly name: string;
    readonly value: string | null;
    readonly source: number;
  }[];
  readonly configType: number;
  readonly documentation: string | null;
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
  const known = wanted(brokerConfigs, names).map((definition) =>
    describe(definition, store.brokerSynonyms(definition.name)),
  );
  const others = [...otherBrokerConfigs().values()];
  const custom = store.dynamicBrokerNames.filter((name) => isCustom(name)).map((name) => ({ name }));
  return [
    ...known,
    ...wanted(others, names).map((config) => describeOther(config, store)),
    ...wanted(custom, names).map(({ name }) => describeCustom(name)),
  ];
}

/**
 * What was changed while running, as the default of all brokers: nothing else is set there.
 *
 * @param names only these; null or none for all.
 */
export function describeBrokerDefaults(
  store: ConfigStore,
  names: readonly string[] | null,
): ConfigDescription[] {
  const source = configSource.dynamicDefaultBroker;
  return describeBrokerConfigs(store, names)
    .filter(({ name }) => store.dynamicBrokerNames.includes(name))
    .map((config) => ({
      ...config,
      configSource: source,
      synonyms: config.synonyms.slice(0, 1).map((synonym) => ({ ...synonym, source })),
    }));
}

/** True for a name that Apache Kafka does not know: it is kept for plugins, which may mean something by it. */
export function isCustom(name: string): boolean {
  return brokerDefinition(name) === undefined && !otherBrokerConfigs().has(name);
}

function describeOther(config: OtherBrokerConfig, store: ConfigStore): ConfigDescription {
  const { name, readOnly, isSensitive } = config;
  const set = store.brokerSynonyms(name);
  const value = config.default;
  const byDefault = value === null ? [] : [{ name, value, source: configSource.default }];
  const synonyms = [...set, ...byDefault].map((one) => (isSensitive ? { ...one, value: null } : one));
  return {
    name,
    value: synonyms[0]?.value ?? null,
    readOnly,
    configSource: synonyms[0]?.source ?? configSource.default,
    isSensitive,
    synonyms,
    configType: config.typeCode,
    documentation: "An Apache Kafka setting that the embedded broker ignores.",
  };
}

/** Nobody knows what it is, so it may be a secret. */
function describeCustom(name: string): ConfigDescription {
  return {
    name,
    value: null,
    readOnly: true,
    configSource: configSource.dynamicBroker,
    isSensitive: true,
    synonyms: [{ name, value: null, source: configSource.dynamicBroker }],
    configType: 0,
    documentation: null,
  };
}

function wanted<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[] | null,
): readonly T[] {
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
      ? "The embedded broker uses this setting."
      : "The embedded broker stores this setting, but it has no effect.",
  };
}
