/** The broker's options, from the command line and the environment. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BrokerOptions } from "./broker.ts";

const DEFAULT_PORT = 9092;
/**
 * Per partition, so that a demo may run for weeks: memory is all there is. Records that come one by one take two to
 * three times their size, and a system of ours has 15 partitions: 0.6 GB when all are full.
 */
const DEFAULT_RETENTION_BYTES = 16 * 1024 * 1024;
const DEFAULT_SEGMENT_BYTES = 2 * 1024 * 1024;
/** With a folder only the newest segment of each partition is in memory: as much as above. */
const FOLDER_RETENTION_BYTES = 256 * 1024 * 1024;
const FOLDER_SEGMENT_BYTES = 16 * 1024 * 1024;

export const usage = `A broker that speaks Kafka's protocol, in one process: for development, demos and tests.

Usage: npm run broker -- [options]

  --port <n>              TCP port (KAFKA_PORT)                          (default ${DEFAULT_PORT})
  --host <address>        address to listen on; default: 127.0.0.1 and ::1
  --advertised-host <h>   host advertised to clients; default: localhost; with --host, the address that
                          the client connected to
  --brokers <n>           number of brokers, on consecutive ports        (default 1)
  --partitions <n>        default number of partitions for new topics    (default 1)
  --no-auto-create        don't create missing topics automatically
  --data-dir <folder>     keep topics, records and offsets in this folder, and continue from them;
                          default: in memory only, lost on stop
  --config <name=value>   a broker setting, named as in Kafka; can be given several times
  --help                  show this help

Besides a topic's retention.ms and retention.bytes, this broker limits what it keeps: it deletes the oldest records beyond
${DEFAULT_RETENTION_BYTES / 1024 / 1024} MiB per partition, ${FOLDER_RETENTION_BYTES / 1024 / 1024} MiB with --data-dir (--config log.retention.bytes=-1 to keep all).

The folder survives any end of the process, including kill -9; after a power cut the newest records may be missing.
`;

/** An invalid argument or environment variable. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "BROKER_USAGE";
}

export type Command = { readonly help: true } | { readonly help: false; readonly options: BrokerOptions };

/**
 * @param args the command line without the program.
 * @throws UsageError with a message for whoever typed it.
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
  const folder = values["data-dir"];
  if (folder === "") throw new UsageError("--data-dir must name a folder");
  return {
    help: false,
    options: {
      port,
      ...(values.brokers === undefined ? {} : { brokers: Number(values.brokers) }),
      ...(values.host === undefined ? {} : { host: values.host }),
      ...advertisedHost(values["advertised-host"], values.host),
      // npm changes the folder to the project's; people mean the one they are in.
      ...(folder === undefined ? {} : { folder: resolve(env["INIT_CWD"] ?? ".", folder) }),
      configs: {
        "log.retention.bytes": String(
          folder === undefined ? DEFAULT_RETENTION_BYTES : FOLDER_RETENTION_BYTES,
        ),
        "log.segment.bytes": String(folder === undefined ? DEFAULT_SEGMENT_BYTES : FOLDER_SEGMENT_BYTES),
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
        brokers: { type: "string" },
        partitions: { type: "string" },
        "no-auto-create": { type: "boolean" },
        "data-dir": { type: "string" },
        config: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Where nothing is said, people and clients' own tests expect the name that Apache Kafka ships with: localhost. */
function advertisedHost(said: string | undefined, host: string | undefined): { advertisedHost?: string } {
  if (said !== undefined) return { advertisedHost: said };
  return host === undefined ? { advertisedHost: "localhost" } : {};
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
