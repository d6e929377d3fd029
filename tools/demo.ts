/** `npm start`: the whole system on one machine, by one command, until Ctrl-C. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { watchStopRequests } from "@kelvin/service-kit";
import { type DemoOptions, HELP, readOptions } from "./demo/options.ts";
import { buildPageWhenNeeded } from "./page/build.ts";
import { runTool } from "./supervise/errors.ts";
import { freePorts, mustBeFree } from "./supervise/ports.ts";
import { Supervisor } from "./supervise/supervisor.ts";
import { createTerminal, type Terminal } from "./supervise/terminal.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const BROKER = "broker";
/** Sources first and the broker last: what was read is computed, shown and kept before the next part ends. */
const STOP_ORDER = ["producer", "stream-processor", "dashboard", BROKER];
/** So long nothing is said about services that aren't ready yet. */
const PATIENCE_MS = 15_000;

await runTool(async () => {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.isHelp) {
    process.stdout.write(HELP);
    return 0;
  }
  const terminal = createTerminal(STOP_ORDER);
  const ports = await choosePorts(options);
  const supervisor = new Supervisor(terminal, environmentOf(options, ports, terminal));
  const asked = watchStopRequests(() => {
    terminal.say("Ending at once.");
    supervisor.kill();
    process.exit(1);
  });
  const stopRequest = new Promise<void>((resolve) => asked.addEventListener("abort", () => resolve()));
  try {
    const all = startAll(supervisor, ports, terminal).then(() => new Promise<never>(() => {}));
    await Promise.race([stopRequest, all, supervisor.failed]);
  } catch (error) {
    terminal.say("Stopping the others ...");
    await supervisor.stop(STOP_ORDER);
    throw error;
  }
  terminal.say("Stopping ...");
  const isWell = await supervisor.stop(STOP_ORDER);
  terminal.say("Stopped.");
  return isWell ? 0 : 1;
});

interface Ports {
  broker: number | undefined;
  dashboard: number;
  producer: number;
  processor: number;
}

async function choosePorts({ kafkaPort, port, host }: DemoOptions): Promise<Ports> {
  const [kafka, dashboard, producer, processor] = await freePorts(4);
  const chosen = {
    broker: kafkaPort === 0 ? kafka : kafkaPort,
    dashboard: port === 0 ? (dashboard ?? 0) : port,
    producer: port === 0 ? (producer ?? 0) : port + 1,
    processor: port === 0 ? (processor ?? 0) : port + 2,
  };
  const broker = { for: "the embedded broker", variable: "KAFKA_PORT" };
  const services = { variable: "PORT", host };
  await mustBeFree([
    ...(chosen.broker === undefined ? [] : [{ ...broker, port: chosen.broker }]),
    { ...services, for: "the dashboard", port: chosen.dashboard },
    { ...services, for: "the producer's health, PORT + 1", port: chosen.producer },
    { ...services, for: "the stream processor's health, PORT + 2", port: chosen.processor },
  ]);
  return chosen;
}

function environmentOf(
  { brokers, environment }: DemoOptions,
  ports: Ports,
  terminal: Terminal,
): NodeJS.ProcessEnv {
  return {
    LOG_FORMAT: "pretty",
    ...(terminal.hasColours ? { FORCE_COLOR: "1" } : {}),
    ...process.env,
    ...environment,
    KAFKA_BROKERS: ports.broker === undefined ? brokers.join(",") : `localhost:${ports.broker}`,
  };
}

async function startAll(supervisor: Supervisor, ports: Ports, terminal: Terminal): Promise<void> {
  const page = buildPageWhenNeeded(root, () => terminal.say("Building the page ..."));
  page.catch(() => {});
  if (ports.broker !== undefined) {
    const script = join(root, "packages", "embedded-kafka", "src", "main.ts");
    await supervisor.start({ name: BROKER, script, environment: { KAFKA_PORT: String(ports.broker) } });
  }
  const service = (name: string, path: string, port: number) =>
    supervisor.start({
      name,
      script: join(root, "services", name, path),
      environment: { PORT: String(port) },
    });
  const waiting = new Set(["producer", "stream-processor", "dashboard"]);
  const patience = setTimeout(() => {
    terminal.say(`Still waiting for ${[...waiting].join(" and ")}: the lines above may say why.`);
  }, PATIENCE_MS);
  const [, , url] = await Promise.all([
    service("producer", "src/main.ts", ports.producer).finally(() => waiting.delete("producer")),
    service("stream-processor", "src/main.ts", ports.processor).finally(() =>
      waiting.delete("stream-processor"),
    ),
    page
      .then(() => service("dashboard", "server/main.ts", ports.dashboard))
      .finally(() => waiting.delete("dashboard")),
  ]).finally(() => clearTimeout(patience));
  const kafka = ports.broker === undefined ? "your Kafka" : `Kafka on localhost:${ports.broker}`;
  terminal.announce(`\nKelvin is running: ${url}   (${kafka}; Ctrl-C stops everything)\n`);
}
