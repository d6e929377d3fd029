/**
 * Runs franz-go's own test suite against the embedded broker, and says what differs from an Apache Kafka:
 *
 *     node packages/embedded-kafka/suites/main.ts <folder of franz-go> [host:port of an Apache Kafka of one broker]
 *
 * The folder is a checkout, or the module as Go keeps it (`go mod download -json github.com/twmb/franz-go@latest` tells
 * where). Needs Go. RECORDS sets how many records its larger tests move (franz-go's default: 500000).
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startBroker } from "../src/index.ts";

type Outcome = "PASS" | "FAIL" | "SKIP";
type Results = ReadonlyMap<string, Outcome>;

const WRONG_USE = 2;
const RESULT = /^\s*--- (PASS|FAIL|SKIP): (\S+) /;
const TIMEOUT = "20m";

/** All tests of the suite's client, by name. */
async function runSuite(program: string, suite: string, brokers: string): Promise<Results> {
  const child = spawn(program, ["-test.v", `-test.timeout=${TIMEOUT}`], {
    cwd: join(suite, "pkg", "kgo"),
    env: {
      ...process.env,
      KGO_SEEDS: brokers,
      KGO_TEST_RF: "1",
      KGO_LOG_LEVEL: "none",
      ...(process.env["RECORDS"] === undefined ? {} : { KGO_TEST_RECORDS: process.env["RECORDS"] }),
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const closed = once(child, "close");
  const results = new Map<string, Outcome>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [, outcome, name] = RESULT.exec(line) ?? [];
    const isOutcome = outcome === "PASS" || outcome === "FAIL" || outcome === "SKIP";
    if (isOutcome && name !== undefined) results.set(name, outcome);
  }
  await closed;
  return results;
}

function summary(results: Results): string {
  const count = (wanted: Outcome) => [...results.values()].filter((outcome) => outcome === wanted).length;
  return `${count("PASS")} passed, ${count("FAIL")} failed, ${count("SKIP")} skipped`;
}

function namesOf(results: Results, wanted: Outcome): string[] {
  return [...results].filter(([, outcome]) => outcome === wanted).map(([name]) => name);
}

const [suite, apacheKafka] = process.argv.slice(2);
if (suite === undefined) {
  console.error("Usage: node packages/embedded-kafka/suites/main.ts <folder of franz-go> [host:port]");
  process.exit(WRONG_USE);
}
const folder = mkdtempSync(join(tmpdir(), "suite-"));
const program = join(folder, "kgo.test");
// Nothing may be dropped for its size while a test has not read it.
const broker = await startBroker({ configs: { "log.retention.bytes": "-1" } });
try {
  execFileSync("go", ["test", "-c", "-o", program, "./pkg/kgo"], { cwd: suite, stdio: "inherit" });
  const here = await runSuite(program, suite, broker.brokers.join(","));
  console.log(`embedded broker: ${summary(here)}`);
  for (const name of namesOf(here, "FAIL")) console.log(`  failed: ${name}`);
  for (const name of namesOf(here, "SKIP")) console.log(`  skipped by the suite: ${name}`);
  process.exitCode = namesOf(here, "FAIL").length > 0 || here.size === 0 ? 1 : 0;
  if (apacheKafka !== undefined) {
    const there = await runSuite(program, suite, apacheKafka);
    console.log(`Apache Kafka:    ${summary(there)}`);
    const lost = namesOf(there, "PASS").filter((name) => here.get(name) === "FAIL");
    console.log(`pass there and fail here: ${lost.length === 0 ? "none" : lost.join(", ")}`);
    process.exitCode = lost.length > 0 ? 1 : 0;
  }
} finally {
  await broker.stop();
  rmSync(folder, { recursive: true });
}
