/**
 * `npm run record-answers`: what Apache Kafka answers to the conformance questions of the embedded broker, asked of one that is
 * started for it from its jars, and kept in packages/embedded-kafka/golden/answers. The version is tools/kafka/jars.ts's.
 */
import { runVitest } from "./checks/vitest.ts";
import { startApacheKafka } from "./kafka/apache-kafka.ts";
import { KAFKA_VERSION } from "./kafka/jars.ts";
import { warmUp } from "./kafka/warm-up.ts";
import { runTool } from "./supervise/errors.ts";
import { root } from "./system/layout.ts";

const QUESTIONS = "packages/embedded-kafka/src/conformance";

/** As many partitions as they have by default; our other Kafkas get by with fewer. */
const INTERNAL_TOPICS = {
  "offsets.topic.num.partitions": "50",
  "transaction.state.log.num.partitions": "50",
};

// Whoever ends us, and however: Kafka ends with our process's exit.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

await runTool(async () => {
  const kafka = await startApacheKafka({ properties: INTERNAL_TOPICS });
  try {
    await warmUp(kafka.brokers);
    process.env["KAFKA_BROKERS"] = kafka.brokers.join(",");
    process.env["KELVIN_RECORD_ANSWERS"] = KAFKA_VERSION;
    // One file at a time: a setting of the whole cluster shows in the answers of all.
    const options = ["--project", "integration", "--no-file-parallelism"];
    const { passed, failed } = await runVitest(root, [...options, QUESTIONS]);
    console.log(`Recorded what Apache Kafka ${KAFKA_VERSION} answers in ${passed} tests; ${failed} failed.`);
    return failed > 0 ? 1 : 0;
  } finally {
    await kafka.stop();
  }
});
