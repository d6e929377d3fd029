/** `npm run topics`: which topics there are, and how much is in them. */
import kafkajs, { type Admin } from "kafkajs";
import { readArguments } from "./people/arguments.ts";
import { endsOf, withKafka } from "./people/kafka.ts";
import { duration, table } from "./people/table.ts";
import { runTool } from "./supervise/errors.ts";

const HELP = `npm run topics      Topics of the Kafka at KAFKA_BROKERS (localhost:9092): partitions, records, retention.

  -- --all          Kafka's own topics, too`;

await runTool(async () => {
  const { values } = readArguments(HELP, [], { all: { type: "boolean" } });
  await withKafka(async (admin) => {
    const names = (await admin.listTopics())
      .filter((name) => values.all || !name.startsWith("__"))
      .toSorted();
    const retention = await retentionOf(admin, names);
    const rows = await Promise.all(
      names.map(async (name) => {
        const ends = await endsOf(admin, name);
        const records = ends.reduce((sum, { low, high }) => sum + high - low, 0);
        return [name, ends.length, records, retention.get(name) ?? "?"];
      }),
    );
    process.stdout.write(
      rows.length === 0
        ? "There are no topics yet.\n"
        : table(["TOPIC", "PARTITIONS", "RECORDS", "RETENTION"], rows),
    );
  });
  return 0;
});

async function retentionOf(admin: Admin, topics: readonly string[]): Promise<Map<string, string>> {
  if (topics.length === 0) return new Map();
  const configNames = ["retention.ms", "cleanup.policy"];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => {
      const setting = (name: string) =>
        configEntries.find((entry) => entry.configName === name)?.configValue ?? "";
      if (!setting("cleanup.policy").includes("delete")) return [resourceName, "newest of each key"];
      const ms = Number(setting("retention.ms"));
      return [resourceName, ms < 0 ? "for ever" : duration(ms)];
    }),
  );
}
