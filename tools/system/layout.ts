/** Which programs the system has, where they are, and which ports they get. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVICE_NODE_OPTIONS } from "@kelvin/service-kit";
import { freePorts, mustBeFree } from "../supervise/ports.ts";
import type { ProgramSpec } from "../supervise/program.ts";
import type { Terminal } from "../supervise/terminal.ts";
import type { SystemOptions } from "./options.ts";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The services' programs. */
export const SERVICES = {
  producer: join(root, "services", "producer", "src", "main.ts"),
  processor: join(root, "services", "stream-processor", "src", "main.ts"),
  dashboard: join(root, "services", "dashboard", "server", "main.ts"),
};

/** Sources first and the broker last: what was read is computed, shown and kept before the next part ends. */
export const STOP_ORDER = ["producer", "stream-processor", "dashboard", "broker"];

export interface Layout {
  /** Undefined if KAFKA_BROKERS names another Kafka. */
  broker: ProgramSpec | undefined;
  producer: ProgramSpec;
  processor: ProgramSpec;
  dashboard: ProgramSpec;
  /** Where Kafka is, for people. */
  kafka: string;
  /** For all of them. */
  environment: NodeJS.ProcessEnv;
}

/** @throws ToolError with code 2, naming each port that is in use and the variable that changes it */
export async function layOut(options: SystemOptions, terminal: Terminal): Promise<Layout> {
  const ports = await choosePorts(options);
  const service = (name: keyof typeof SERVICE_NODE_OPTIONS, script: string, port: number): ProgramSpec => ({
    name,
    script,
    nodeOptions: SERVICE_NODE_OPTIONS[name],
    environment: { PORT: String(port) },
  });
  const brokers = ports.broker === undefined ? options.brokers.join(",") : `localhost:${ports.broker}`;
  return {
    broker: ports.broker === undefined ? undefined : brokerSpec(ports.broker, options.dataDir),
    producer: service("producer", SERVICES.producer, ports.producer),
    processor: service("stream-processor", SERVICES.processor, ports.processor),
    dashboard: service("dashboard", SERVICES.dashboard, ports.dashboard),
    kafka: brokers,
    environment: {
      LOG_FORMAT: "pretty",
      ...(terminal.hasColours ? { FORCE_COLOR: "1" } : {}),
      ...process.env,
      ...options.environment,
      KAFKA_BROKERS: brokers,
    },
  };
}

function brokerSpec(port: number, dataDir: string | undefined): ProgramSpec {
  const script = join(root, "packages", "embedded-kafka", "src", "main.ts");
  const args = dataDir === undefined ? [] : ["--data-dir", dataDir];
  return { name: "broker", script, args, environment: { KAFKA_PORT: String(port) } };
}

interface Ports {
  broker: number | undefined;
  dashboard: number;
  producer: number;
  processor: number;
}

async function choosePorts({ kafkaPort, port, host }: SystemOptions): Promise<Ports> {
  const [kafka = 0, dashboard = 0, producer = 0, processor = 0] = await freePorts(4);
  const ports = {
    broker: kafkaPort === 0 ? kafka : kafkaPort,
    dashboard: port === 0 ? dashboard : port,
    producer: port === 0 ? producer : port + 1,
    processor: port === 0 ? processor : port + 2,
  };
  const services = { variable: "PORT", host };
  await mustBeFree([
    ...(ports.broker === undefined
      ? []
      : [{ for: "the embedded broker", variable: "KAFKA_PORT", port: ports.broker }]),
    { ...services, for: "the dashboard", port: ports.dashboard },
    { ...services, for: "the producer's health, PORT + 1", port: ports.producer },
    { ...services, for: "the stream processor's health, PORT + 2", port: ports.processor },
  ]);
  return ports;
}
