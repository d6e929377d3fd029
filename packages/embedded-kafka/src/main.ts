/** The broker as a program: `npm run broker`. Ends with Ctrl-C, with SIGTERM, or when the process that started it is gone. */
import { startBroker } from "./broker.ts";
import { parseCommand, UsageError, usage } from "./cli-arguments.ts";
import { InvalidConfigError } from "./cluster/config-store.ts";
import type { Log } from "./log-port.ts";
import { ListenError, PortInUseError } from "./server/listeners.ts";
import { DataFolderError, StorageError } from "./storage/errors.ts";
import { systemClock } from "./time/clock.ts";

const WRONG_USE = 2;

/** As the services' lines look: for people, or one JSON object where LOG_FORMAT=json. */
function line(level: string, fields: object, message: string): void {
  const asJson = (value: object) => JSON.stringify(value, (_, v) => (v instanceof Error ? v.stack : v));
  const time = new Date(systemClock.now());
  if (process.env["LOG_FORMAT"] === "json") {
    console.error(asJson({ level, time: time.toISOString(), service: "broker", ...fields, msg: message }));
    return;
  }
  const timeOfDay = `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
  console.error(`[${timeOfDay}] ${level.toUpperCase()}: ${message} ${asJson(fields)}`);
}

const log: Log = {
  debug: () => undefined,
  info: (fields, message) => line("info", fields, message),
  warn: (fields, message) => line("warn", fields, message),
  error: (fields, message) => line("error", fields, message),
};

/** What is wrong and what to do, in one line or two; undefined for an error that is a defect. */
function wordsFor(error: unknown): string | undefined {
  if (error instanceof PortInUseError) return `${error.message}. Set KAFKA_PORT (or --port) to another one.`;
  if (error instanceof UsageError || error instanceof InvalidConfigError)
    return `${error.message}\nSee --help.`;
  if (error instanceof DataFolderError || error instanceof StorageError)
    return `${error.message}. See --data-dir.`;
  if (error instanceof ListenError) return `${error.message}. See --host.`;
  return undefined;
}

/** Tells it to people and to the process that started us, and ends with exit code 2; a defect stays one. */
function refuse(error: unknown): void {
  const reason = wordsFor(error);
  if (reason === undefined) throw error;
  console.error(`Kafka broker: ${reason}`);
  process.exitCode = WRONG_USE;
  if (process.send === undefined || !process.connected) process.exit();
  else process.send({ kelvin: "failed", reason }, undefined, {}, () => process.exit());
}

async function main(): Promise<void> {
  const command = parseCommand(process.argv.slice(2), process.env);
  if (command.help) {
    console.log(usage);
    return;
  }
  const broker = await startBroker({ ...command.options, log });

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void broker.stop().then(() => process.exit(0));
  };
  // Ctrl-C reaches everybody at once; a supervisor that stops us last, when nobody writes any more, asks by message.
  const isSupervised = process.env["KELVIN_SUPERVISED"] === "1" && process.connected;
  process.on("SIGINT", () => {
    if (!isSupervised || !process.connected) stop();
  });
  process.on("SIGTERM", stop);
  // Only now: whoever reads this line may end us at once, and means an orderly end.
  const { folder } = command.options;
  const where = folder === undefined ? "in memory" : `in ${folder}, one copy: for development`;
  console.log(`Kafka broker (${where}) listening on ${broker.brokers.join(",")}`);
  if (process.send !== undefined) {
    process.on("disconnect", stop);
    process.on("message", (message) => {
      if (typeof message === "object" && message !== null && "kelvin" in message && message.kelvin === "stop")
        stop();
    });
    process.send({ kelvin: "ready" });
  }
}

await main().catch(refuse);
