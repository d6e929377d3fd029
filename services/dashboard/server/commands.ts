/** What the page tells people to type where nothing comes in: commands that work as they stand, for this installation. */
import type { Commands } from "@kelvin/schema/live";
import type { KafkaConnection } from "@kelvin/service-kit";
import type { Settings } from "./config.ts";

/** What needs no quoting in any shell. */
const PLAIN = /^[\w.,:[\]-]+$/;
const DEFAULT_BROKER = "localhost:9092";

type CommandSettings = Pick<
  Settings,
  | "SENSOR_TOPIC"
  | "ALERT_TOPIC"
  | "KPI_TOPIC"
  | "GROUP_PREFIX"
  | "ALERT_ABOVE_KELVIN"
  | "PRODUCER_COMMAND"
  | "PROCESSOR_COMMAND"
>;

/**
 * The services' own commands with what differs here from the defaults, as variables that they take as arguments. Any
 * free port: the usual ones may be those of what still runs. Secrets are left out, and the command is then not whole.
 */
export function commandsOf(settings: CommandSettings, kafka: KafkaConnection): Commands {
  const { SENSOR_TOPIC, ALERT_TOPIC, KPI_TOPIC, GROUP_PREFIX, ALERT_ABOVE_KELVIN } = settings;
  const brokers: Variable = ["KAFKA_BROKERS", kafka.brokers.join(","), DEFAULT_BROKER];
  const isOpen = kafka.ssl === undefined && kafka.sasl === undefined;
  const producer: Variable[] = [brokers, ["SENSOR_TOPIC", SENSOR_TOPIC, "sensor"]];
  const processor: Variable[] = [
    ...producer,
    ["ALERT_TOPIC", ALERT_TOPIC, "alert"],
    ["KPI_TOPIC", KPI_TOPIC, "kpi"],
    ["GROUP_PREFIX", GROUP_PREFIX, "kelvin"],
    ["ALERT_ABOVE_KELVIN", String(ALERT_ABOVE_KELVIN), "303"],
  ];
  return {
    producer: settings.PRODUCER_COMMAND ?? commandOf("producer", producer),
    processor: settings.PROCESSOR_COMMAND ?? commandOf("stream-processor", processor),
    areWhole: isOpen && processor.every(([, value]) => PLAIN.test(value)),
  };
}

type Variable = readonly [name: string, value: string, fallback: string];

function commandOf(service: string, variables: readonly Variable[]): string {
  const given = variables.filter(([, value, fallback]) => value !== fallback && PLAIN.test(value));
  return ["npm run", service, "-- PORT=0", ...given.map(([name, value]) => `${name}=${value}`)].join(" ");
}
