/** What the command line and the environment ask of the broker. */
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

  --port <n>              TCP port                                  (KAFKA_PORT, default ${DEFAULT_PORT})
  --host <address>        listen here only; default: 127.0.0.1 and ::1
  --advertised-host <h>   host that clients are told to connect to; default: localhost; with --host the
                          address that the client came in by
  --brokers <n>           so many brokers, on the port and those after it   (default 1)
  --partitions <n>        partitions of topics made without saying   (default 1)
  --no-auto-create        asking for a missing topic does not make it
  --data-dir <folder>     keep topics, records and offsets there, and go on from what is there;
                           default: all is in memory, and a stop forgets it
  --config <name=value>   a broker setting by Kafka's name; may be given several times
  --help                  this text

What is kept is bounded, besides a topic's own retention.ms and retention.bytes: the oldest go beyond
${DEFAULT_RETENTION_BYTES / 1024 / 1024} MiB a partition, ${FOLDER_RETENTION_BYTES / 1024 / 1024} MiB with --data-dir (--config log.retention.bytes=-1 to keep all).

What a folder holds outlives the process however it ends, kill -9 too; after a power cut the newest records may be gone.
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
