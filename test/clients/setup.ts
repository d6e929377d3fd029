/** Makes ready what the clients under test need, before the tests: their languages, libraries, jars. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CACHE_FOLDER } from "../../tools/kafka/apache-kafka.ts";
import { kafkaJars } from "../../tools/kafka/jars.ts";
import { warmUp } from "../../tools/kafka/warm-up.ts";
import type { Prepared } from "./roster.ts";

const run = promisify(execFile);
const drivers = fileURLToPath(new URL("drivers", import.meta.url));
/** Outside git. */
const cache = fileURLToPath(new URL("../../.cache/clients", import.meta.url));

export default async function setUp(): Promise<void> {
  await mkdir(cache, { recursive: true });
  const [python, go, java, kcat] = await Promise.all([
    found(preparePython),
    found(prepareGo),
    found(prepareJava),
    found(prepareKcat),
  ]);
  const prepared: Prepared = { python, go, java, kcat };
  process.env["KELVIN_TEST_CLIENTS"] = JSON.stringify(prepared);
  // Some clients ask a coordinator that still loads three times only.
  await warmUp((process.env["KAFKA_BROKERS"] ?? "").split(","));
}

/** What was made, or why it could not be. */
async function found<T>(make: () => Promise<T>): Promise<T | string> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    const [first = ""] = error.message.split("\n");
    return first.replace(/^spawn (\S+) ENOENT$/, "there is no $1");
  }
}

/** The Python that PYTHON names, or an environment of our own with what requirements.txt lists. */
async function preparePython() {
  const named = process.env["PYTHON"];
  if (named !== undefined) {
    await run(named, ["-c", "import confluent_kafka, kafka, quixstreams, lz4, snappy, zstandard"]);
    return { path: named };
  }
  const requirements = join(drivers, "python", "requirements.txt");
  const mark = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const folder = join(cache, `python-${mark}`);
  const path = join(folder, "bin", "python");
  // An environment can't be moved, so a mark says that it is whole.
  const whole = join(folder, "whole");
  if (!existsSync(whole)) {
    await rm(folder, { recursive: true, force: true });
    await run("python3", ["-m", "venv", folder]);
    await run(path, ["-m", "pip", "install", "--quiet", "--requirement", requirements]);
    await mkdir(whole);
  }
  return { path };
}

async function prepareGo() {
  const path = join(cache, "franz-go-driver");
  await run("go", ["build", "-o", path, "."], { cwd: join(drivers, "go") });
  return { path };
}

async function prepareJava() {
  await run("javac", ["-version"]);
  const jars = process.env["KAFKA_JARS"] ?? (await kafkaJars(CACHE_FOLDER));
  const attempt = await mkdtemp(join(cache, "java-"));
  const classes = join(cache, "java");
  await run("javac", [
    "-nowarn",
    "-cp",
    join(jars, "*"),
    "-d",
    attempt,
    join(drivers, "java", "Driver.java"),
  ]);
  await rm(classes, { recursive: true, force: true });
  await rename(attempt, classes);
  return { path: "java", jars, classes };
}

async function prepareKcat() {
  await run("kcat", ["-V"]);
  return { path: "kcat" };
}
