/**
 * `npm run test:kafka`: the integration suite on a real Apache Kafka, started for it from its jars. A broker of our own
 * that is kinder than Kafka would hide faults. The last line is "N passed, N failed, N skipped".
 */
import { runVitest } from "./checks/vitest.ts";
import { startApacheKafka } from "./kafka/apache-kafka.ts";
import { KafkaToolError } from "./kafka/kafka-tool-error.ts";
import { warmUp } from "./kafka/warm-up.ts";
import { buildPageWhenNeeded } from "./page/build.ts";
import { root } from "./system/layout.ts";

// Whoever ends us, and however: Kafka ends with our process's exit.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
process.once("disconnect", () => process.exit(1)); // the parent process is gone
process.channel?.unref();

async function testOnKafka(filters: readonly string[]): Promise<void> {
  const startedMs = performance.now();
  await buildPageWhenNeeded(root, () => {});
  const kafka = await startApacheKafka();
  console.log(
    `Apache Kafka answers on ${kafka.brokers.join(", ")} after ${Math.round(performance.now() - startedMs)} ms.`,
  );
  try {
    await warmUp(kafka.brokers);
    process.env["KAFKA_BROKERS"] = kafka.brokers.join(",");
    const { passed, failed, skipped } = await runVitest(root, ["--project", "integration", ...filters]);
    for (const { file, name } of skipped) console.log(`skipped: ${file}: ${name}`);
    console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
    if (failed > 0 || (process.env["CI"] === "true" && skipped.length > 0)) process.exitCode = 1;
  } finally {
    await kafka.stop();
  }
}

await testOnKafka(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof KafkaToolError ? error.message : error);
  console.log("0 passed, 1 failed, 0 skipped");
  process.exitCode = 1;
});
