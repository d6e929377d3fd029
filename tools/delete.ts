/** `npm run delete`: deletes a topic with all its records. */
import { readArguments } from "./people/arguments.ts";
import { endsOf, mustExist, withKafka } from "./people/kafka.ts";
import { runTool } from "./supervise/errors.ts";

const HELP = `npm run delete -- <topic>      Deletes a topic with all its records, in the Kafka at KAFKA_BROKERS (localhost:9092).

Running services recreate the topics they need and carry on.`;

await runTool(async () => {
  const { positionals } = readArguments(HELP, ["topic"], {});
  const topic = positionals[0] ?? "";
  await withKafka(async (admin) => {
    await mustExist(admin, topic);
    const records = (await endsOf(admin, topic)).reduce((sum, { low, high }) => sum + high - low, 0);
    await admin.deleteTopics({ topics: [topic] });
    process.stdout.write(`Topic "${topic}" is deleted, with ${records} records.\n`);
  });
  return 0;
});
