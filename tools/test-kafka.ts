/**
 * `npm run test:kafka`: the integration suite on a real Apache Kafka, started for it from its jars. A broker of our own
 * that is kinder than Kafka would hide faults. The last line tells "N passed, N failed, N skipped".
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startApacheKafka } from "./kafka/apache-kafka.ts";
import { KafkaToolError } from "./kafka/kafka-tool-error.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
});

// Whoever ends us, and however: Kafka ends with our process's exit.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
process.once("disconnect", () => process.exit(1)); // the one who started us is gone
process.channel?.unref();

async function testOnKafka(): Promise<void> {
  const startedMs = performance.now();
  const kafka = await startApacheKafka();
  console.log(
    `Apache Kafka answers on ${kafka.brokers} after ${Math.round(performance.now() - startedMs)} ms.`,
  );
  try {
    const { code, report } = await vitest({ KAFKA_BROKERS: kafka.brokers.join(",") });
    const skipped = report.numPendingTests + report.numTodoTests;
    // A file that can't be loaded has no test that could fail.
    const failed = code === 0 ? report.numFailedTests : Math.max(1, report.numFailedTests);
    console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
    if (failed > 0) process.exitCode = 1;
  } finally {
    await kafka.stop();
  }
}

async function vitest(
  env: Record<string, string>,
): Promise<{ code: number | null; report: z.infer<typeof Report> }> {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-report-"));
  try {
    const file = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const vitestMain = fileURLToPath(new URL("vitest.mjs", import.meta.resolve("vitest/package.json")));
    const child = spawn(process.execPath, [vitestMain, "run", "--project", "integration", ...reporters], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: "inherit",
    });
    await once(child, "exit");
    return { code: child.exitCode, report: Report.parse(JSON.parse(await readFile(file, "utf8"))) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await testOnKafka().catch((error: unknown) => {
  console.error(error instanceof KafkaToolError ? error.message : error);
  console.log("0 passed, 1 failed, 0 skipped");
  process.exitCode = 1;
});
