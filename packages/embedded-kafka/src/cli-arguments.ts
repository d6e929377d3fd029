/** What the command line and the environment ask of the broker. */
import { parseArgs } from "node:util";
import type { BrokerOptions } from "./broker.ts";

const DEFAULT_PORT = 9092;
/**
 * Per partition, so that a demo may run for weeks: memory is all there is. Records that come one by one take two to
 * three times their size, and a system of ours has 15 partitions: 0.6 GB when all are full.
 */
const DEFAULT_RETENTION_BYTES = 16 * 1024 * 1024;
const DEFAULT_SEGMENT_BYTES = 2 * 1024 * 1024;

export const usage = `A broker that speaks Kafka's protocol, in one process and in memory: for development, demos and tests.

Usage: pnpm broker -- [options]

  --port <n>              TCP port                                  (KAFKA_PORT, default ${DEFAULT_PORT})
  --host <address>        listen here only; default: 127.0.0.1 and ::1
  --advertised-host <h>   host that clients are told to connect to
  --partitions <n>        partitions of topics made without saying   (default 1)
  --no-auto-create        asking for a missing topic does not make it
  --config <name=value>   a broker setting by Kafka's name; may be given several times
  --help                  this text

What is kept is bounded, besides a topic's own retention.ms and retention.bytes: the oldest go beyond
${DEFAULT_RETENTION_BYTES / 1024 / 1024} MiB a partition (--config log.retention.bytes=-1 to keep all). A stop forgets everything.
`;

/** An argument or a variable that can't be. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "BROKER_USAGE";
}

export type Command = { readonly help: true } | { readonly help: false; readonly options: BrokerOptions };

/**
 * @param args the command line without the program.
 * @throws UsageError in words for whoever typed it.
 */
export function parseCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Command {
  const values = parse(args.filter((arg) => arg !== "--"));
  if (values.help === true) return { help: true };
  const port =
    values.port === undefined
      ? portOf("KAFKA_PORT", env["KAFKA_PORT"] ?? String(DEFAULT_PORT))
      : portOf("--port", values.port);
  return {
    help: false,
    options: {
      port,
      ...(values.host === undefined ? {} : { host: values.host }),
      ...(values["advertised-host"] === undefined ? {} : { advertisedHost: values["advertised-host"] }),
      configs: {
        "log.retention.bytes": String(DEFAULT_RETENTION_BYTES),
        "log.segment.bytes": String(DEFAULT_SEGMENT_BYTES),
        ...(values.partitions === undefined ? {} : { "num.partitions": values.partitions }),
        ...(values["no-auto-create"] === true ? { "auto.create.topics.enable": "false" } : {}),
        ...Object.fromEntries((values.config ?? []).map(pairOf)),
      },
    },
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: "string" },
        host: { type: "string" },
        "advertised-host": { type: "string" },
        partitions: { type: "string" },
        "no-auto-create": { type: "boolean" },
        config: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function portOf(source: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535)
    throw new UsageError(`${source} must be a port, 0 to 65535, not "${text}"`);
  return port;
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--config takes name=value, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}
