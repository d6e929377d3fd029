/** `npm run topics`: which topics there are, and how much is in them. */
import kafkajs, { type Admin } from "kafkajs";
import { readArguments } from "./people/arguments.ts";
import { endsOf, withKafka } from "./people/kafka.ts";
import { duration, table } from "./people/table.ts";
import { runTool } from "./supervise/errors.ts";

const HELP = `npm run topics      Topics of the Kafka at KAFKA_BROKERS (localhost:9092): partitions, records, retention.

  -- --all          also Kafka's own topics`;

await runTool(async () => {
  const { values } = readArguments(HELP, [], { all: { type: "boolean" } });
  await withKafka(async (admin) => {
    const names = (await admin.listTopics())
      .filter((name) => values.all || !name.startsWith("__"))
      .toSorted();
    const rows = (await Promise.all(names.map((name) => rowOf(admin, name)))).flat();
    process.stdout.write(
      rows.length === 0
        ? "There are no topics yet.\n"
        : table(["TOPIC", "PARTITIONS", "RECORDS", "RETENTION"], rows),
    );
  });
  return 0;
});

/** No row for a topic that was deleted meanwhile. */
async function rowOf(admin: Admin, name: string): Promise<(string | number)[][]> {
  try {
    const [ends, retention] = await Promise.all([endsOf(admin, name), retentionOf(admin, name)]);
    return [[name, ends.length, ends.reduce((sum, { low, high }) => sum + high - low, 0), retention]];
  } catch (error) {
    if ((await admin.listTopics()).includes(name)) throw error;
    return [];
  }
}

async function retentionOf(admin: Admin, name: string): Promise<string> {
  const configNames = ["retention.ms", "cleanup.policy"];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames }],
  });
  const entries = resources.flatMap(({ configEntries }) => configEntries);
  const setting = (key: string) => entries.find(({ configName }) => configName === key)?.configValue ?? "";
  if (!setting("cleanup.policy").includes("delete")) return "newest of each key";
  const ms = Number(setting("retention.ms"));
  return ms < 0 ? "for ever" : duration(ms);
}
