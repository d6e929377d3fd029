/**
 * `npm run kafka -- start|stop|status`: an Apache Kafka on this machine without containers, from Maven Central's jars.
 * Needs Java 17 and Maven; for a broker without either there is `npm run broker`.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { answers } from "./kafka/answers.ts";
import { CACHE_FOLDER, startApacheKafka } from "./kafka/apache-kafka.ts";
import { KAFKA_VERSION } from "./kafka/jars.ts";
import { KafkaToolError } from "./kafka/kafka-tool-error.ts";
import { isPortBusy } from "./kafka/ports.ts";

const USAGE = `Usage: npm run kafka -- start [--keep] [--foreground] | stop | status

  start         starts Apache Kafka ${KAFKA_VERSION} on localhost:9092 and returns when it answers
                --keep        continues with the data of the last run; without it, all topics are deleted
                --foreground  stays until Ctrl-C
  stop          stops it
  status        shows which ones are running

Set KAFKA_PORT to use another port than 9092, for start and stop.`;

const RUNS_FOLDER = join(CACHE_FOLDER, "runs");
const STOP_TIMEOUT_MS = 15_000;

const Run = z.object({ pid: z.int().positive(), port: z.int().positive(), logFile: z.string() });
type Run = z.infer<typeof Run>;

const folderOf = (port: number): string => join(RUNS_FOLDER, String(port));
const runFileOf = (port: number): string => join(folderOf(port), "run.json");

async function start(port: number, options: { keep: boolean; foreground: boolean }): Promise<void> {
  const running = await runOn(port);
  if (running !== undefined && (await answers(port))) {
    console.log(`Apache Kafka is already running on localhost:${port} (process ${running.pid}).`);
    return;
  }
  await mkdir(folderOf(port), { recursive: true });
  const kafka = await startApacheKafka({
    port,
    folder: folderOf(port),
    keepData: options.keep,
    detached: !options.foreground,
  });
  const { pid, logFile } = kafka;
  await writeFile(runFileOf(port), JSON.stringify({ pid, port, logFile } satisfies Run));
  console.log(
    `Apache Kafka ${KAFKA_VERSION} answers on localhost:${port} (process ${pid}, log: ${logFile}).`,
  );
  if (!options.foreground) return;

  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
    process.once("disconnect", resolve); // the parent process is gone
  });
  await kafka.stop();
  await rm(runFileOf(port), { force: true });
}

async function stop(port: number): Promise<void> {
  const running = await runOn(port);
  if (running === undefined) {
    console.log(`No Apache Kafka started by this tool is running on localhost:${port}.`);
    return;
  }
  process.kill(running.pid, "SIGTERM");
  const deadlineMs = performance.now() + STOP_TIMEOUT_MS;
  while (isAlive(running.pid)) {
    if (performance.now() > deadlineMs) process.kill(running.pid, "SIGKILL");
    await sleep(50);
  }
  await rm(runFileOf(port), { force: true });
  console.log(`Apache Kafka on localhost:${port} is stopped; its data is kept for "start --keep".`);
}

async function status(): Promise<void> {
  const folders = existsSync(RUNS_FOLDER) ? await readdir(RUNS_FOLDER) : [];
  const runs = (await Promise.all(folders.map((folder) => runOn(Number(folder))))).filter(
    (run) => run !== undefined,
  );
  if (runs.length === 0) console.log("No Apache Kafka started by this tool is running.");
  for (const { pid, port, logFile } of runs) {
    const state = (await answers(port)) ? "answers" : "does not answer";
    console.log(`localhost:${port} ${state} (process ${pid}, log: ${logFile})`);
  }
}

/** The run that was started on this port and still lives. A process id alone may long belong to someone else. */
async function runOn(port: number): Promise<Run | undefined> {
  const file = runFileOf(port);
  if (!existsSync(file)) return undefined;
  const run = Run.parse(JSON.parse(await readFile(file, "utf8")));
  return isAlive(run.pid) && (await isPortBusy(port)) ? run : undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function portFromEnvironment(): number {
  const text = process.env["KAFKA_PORT"] ?? "9092";
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new KafkaToolError(`KAFKA_PORT is "${text}": it must be a port, 1 to 65535.`, { exitCode: 2 });
  }
  return port;
}

function commandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        keep: { type: "boolean", default: false },
        foreground: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (cause) {
    throw new KafkaToolError(USAGE, { cause, exitCode: 2 });
  }
}

async function main(): Promise<void> {
  const { values, positionals } = commandLine();
  const command = values.help ? "help" : positionals[0];
  if (command === "start") await start(portFromEnvironment(), values);
  else if (command === "stop") await stop(portFromEnvironment());
  else if (command === "status") await status();
  else if (command === "help") console.log(USAGE);
  else throw new KafkaToolError(USAGE, { exitCode: 2 });
}

await main().catch((error: unknown) => {
  const isExpected = error instanceof KafkaToolError;
  console.error(isExpected ? error.message : error);
  process.exitCode = isExpected ? error.exitCode : 1;
});
