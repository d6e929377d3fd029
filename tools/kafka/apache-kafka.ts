import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { answers } from "./answers.ts";
import { run } from "./command.ts";
import { KAFKA_VERSION, kafkaJars } from "./jars.ts";
import { findJava } from "./java.ts";
import { KafkaToolError } from "./kafka-tool-error.ts";
import { freePorts, isPortBusy } from "./ports.ts";
import { LOG4J_PROPERTIES, serverProperties } from "./server-config.ts";

/** Outside git; shared by every checkout's runs of this tool. */
export const CACHE_FOLDER = fileURLToPath(new URL("../../.cache/kafka", import.meta.url));

const START_TIMEOUT_MS = 120_000;
/** After a first SIGTERM; Kafka writes its logs out meanwhile. */
const STOP_TIMEOUT_MS = 10_000;

/** Any 16 bytes in base64url would do; one that stays the same lets data be kept. */
const CLUSTER_ID = "a2VsdmluLWRldmVsb3BtZQ";

export interface ApacheKafkaOptions {
  /** Port of the loopback to listen on; 0, the default, takes a free one. */
  port?: number;
  /** Where data, configuration and log lie. Default: a temporary folder, removed by `stop`. */
  folder?: string;
  /** Continue with the data of the folder, if it has any. Default: start empty. */
  keepData?: boolean;
  /** Let it outlive this process. Default: it ends with this process at the latest. */
  detached?: boolean;
  /** Further broker properties by their Kafka names, such as `auto.create.topics.enable`. */
  properties?: Readonly<Record<string, string>>;
  /** Further arguments of `kafka-storage format`, such as `--add-scram` for users of SCRAM. */
  formatArguments?: readonly string[];
  version?: string;
}

export interface ApacheKafka {
  /** For a client's list of brokers. */
  readonly brokers: string[];
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** Ends it, by force if it takes longer than 10 s; at once where its folder is a temporary one. */
  stop(): Promise<void>;
}

/**
 * Starts an Apache Kafka from its jars, without containers: KRaft, one node. Resolves when it answers (about 6 s;
 * a first start downloads 55 MB).
 *
 * @throws KafkaToolError when the port is busy, Java or Maven is missing, or Kafka ends before it answers.
 */
export async function startApacheKafka(options: ApacheKafkaOptions = {}): Promise<ApacheKafka> {
  const [freePort = 0, controllerPort = 0] = await freePorts(2);
  const port = options.port === undefined || options.port === 0 ? freePort : options.port;
  if (await isPortBusy(port)) {
    const message = `Port ${port} is in use: choose another with KAFKA_PORT, or stop the program that uses it.`;
    throw new KafkaToolError(message, { exitCode: 2 });
  }
  const java = await findJava();
  const jars = await kafkaJars(CACHE_FOLDER, options.version ?? KAFKA_VERSION);
  const files = await layOut(options, port, controllerPort);
  const jvm = [
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    `-Dlog4j2.configurationFile=${files.log4j}`,
    ...["-cp", [join(jars, "*")].join(delimiter)],
  ];
  if (!existsSync(join(files.data, "meta.properties"))) {
    const format = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", files.server];
    await run(java, [...jvm, ...format, ...(options.formatArguments ?? [])], `There is no "${java}".`);
  }
  const { child, stop } = await launch(java, [...jvm, "kafka.Kafka", files.server], files, options);
  try {
    await untilItAnswers(child, port, files.log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { brokers: [`127.0.0.1:${port}`], port, pid: child.pid ?? 0, logFile: files.log, stop };
}

/** Where a broker's files are. */
interface Files {
  readonly folder: string;
  readonly data: string;
  readonly log: string;
  readonly server: string;
  readonly log4j: string;
}

async function layOut(options: ApacheKafkaOptions, port: number, controllerPort: number): Promise<Files> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "kelvin-kafka-")));
  const files = {
    folder,
    data: join(folder, "data"),
    log: join(folder, "kafka.log"),
    server: join(folder, "server.properties"),
    log4j: join(folder, "log4j2.properties"),
  };
  if (options.keepData !== true) await rm(files.data, { recursive: true, force: true });
  await mkdir(files.data, { recursive: true });
  const { properties = {} } = options;
  await writeFile(
    files.server,
    serverProperties({ port, controllerPort, dataFolder: files.data, properties }),
  );
  await writeFile(files.log4j, LOG4J_PROPERTIES);
  return files;
}

/** The process, which ends with this one unless it is detached, and what ends it in order. */
async function launch(java: string, command: string[], files: Files, options: ApacheKafkaOptions) {
  const { detached = false } = options;
  const isTemporary = options.folder === undefined;
  const log = await open(files.log, "w");
  const child = spawn(java, command, { detached, stdio: ["ignore", log.fd, log.fd], windowsHide: true });
  await log.close();
  const endWithUs = (): void => {
    child.kill("SIGKILL");
    if (isTemporary) rmSync(files.folder, { recursive: true, force: true, maxRetries: 5 });
  };
  if (detached) child.unref();
  else process.once("exit", endWithUs);

  const stop = async (): Promise<void> => {
    await end(child, isTemporary ? "SIGKILL" : "SIGTERM");
    process.off("exit", endWithUs);
    if (isTemporary) await rm(files.folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return { child, stop };
}

async function untilItAnswers(child: ChildProcess, port: number, logFile: string): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadlineMs) {
    if (hasEnded(child)) {
      throw new KafkaToolError(`Apache Kafka exited before it answered:\n${await lastLines(logFile)}`);
    }
    if (await answers(port)) return;
    await sleep(100);
  }
  throw new KafkaToolError(
    `Apache Kafka did not answer on port ${port} within ${START_TIMEOUT_MS / 1000} s:\n${await lastLines(logFile)}`,
  );
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function end(child: ChildProcess, firstSignal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill(firstSignal);
  const deadline = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(deadline);
}

const lastLines = async (file: string): Promise<string> =>
  (await readFile(file, "utf8")).trim().split("\n").slice(-12).join("\n");
