import { SERVICE_NODE_OPTIONS } from "@kelvin/service-kit";
import { kafkaForTests, startService, uniqueName } from "@kelvin/test-kit";

export const PRODUCER = "services/producer/src/main.ts";
export const PROCESSOR = "services/stream-processor/src/main.ts";
export const DASHBOARD = "services/dashboard/server/main.ts";
const NODE_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  [PRODUCER]: SERVICE_NODE_OPTIONS.producer,
  [PROCESSOR]: SERVICE_NODE_OPTIONS["stream-processor"],
  [DASHBOARD]: SERVICE_NODE_OPTIONS.dashboard,
};

/**
 * Topics and consumer groups of its own on the cluster that all tests share, and the environment that brings a
 * service into it.
 */
export async function installation() {
  const kafka = await kafkaForTests();
  const name = uniqueName("plant");
  const topics = { sensor: `${name}.sensor`, alert: `${name}.alert`, kpi: `${name}.kpi` };
  const env: Readonly<Record<string, string>> = {
    KAFKA_BROKERS: kafka.bootstrap,
    SENSOR_TOPIC: topics.sensor,
    ALERT_TOPIC: topics.alert,
    KPI_TOPIC: topics.kpi,
    GROUP_PREFIX: name,
    LOG_LEVEL: "info",
  };
  return {
    topics,
    env,
    brokers: kafka.brokers,
    start: (main: string, settings: Readonly<Record<string, string>> = {}) =>
      startService({ main, env: { ...env, ...settings }, nodeOptions: NODE_OPTIONS[main] ?? [] }),
    [Symbol.asyncDispose]: () => kafka.stop(),
  };
}
