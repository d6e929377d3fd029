/** `npm run groups`: who reads which topic, and how far behind it is. */
import { START_MARK } from "@kelvin/streams";
import type { Admin } from "kafkajs";
import { readArguments } from "./people/arguments.ts";
import { endsOf, withKafka } from "./people/kafka.ts";
import { table } from "./people/table.ts";
import { runTool } from "./supervise/errors.ts";

const HELP =
  "npm run groups      Consumer groups of the Kafka at KAFKA_BROKERS (localhost:9092), and their lag.";

/** In place of an unknown number. */
const NOT_TOLD = "-";
const ABOUT_MARKS = `
${NOT_TOLD}  This group's members keep their position in memory and commit only where they started, as a dashboard does:
   how far they have read is not known here.
`;

await runTool(async () => {
  readArguments(HELP, [], {});
  await withKafka(async (admin) => {
    const ids = (await admin.listGroups()).groups.map(({ groupId }) => groupId).toSorted();
    const rows = (await groupRows(admin, ids)).flat();
    process.stdout.write(
      rows.length === 0
        ? "There are no consumer groups.\n"
        : table(["GROUP", "STATE", "MEMBERS", "TOPIC", "READ UP TO", "END", "LAG"], rows),
    );
    if (rows.some((row) => row.at(-1) === NOT_TOLD)) process.stdout.write(ABOUT_MARKS);
  });
  return 0;
});

async function groupRows(admin: Admin, ids: string[]): Promise<(string | number)[][][]> {
  if (ids.length === 0) return [];
  const { groups } = await admin.describeGroups(ids);
  return Promise.all(
    groups.map(async ({ groupId, state, members }) => {
      const positions = await admin.fetchOffsets({ groupId });
      const rows = await Promise.all(
        positions.map(({ topic, partitions }) => positionRow(admin, topic, partitions)),
      );
      const about = [groupId, state, members.length];
      return rows.length === 0
        ? [[...about, "(no position)", "", "", ""]]
        : rows.map((row) => [...about, ...row]);
    }),
  );
}

/** Sums over the partitions; one without a position counts from its first record. A mark is no position. */
async function positionRow(
  admin: Admin,
  topic: string,
  partitions: readonly { partition: number; offset: string; metadata: string | null }[],
) {
  const ends = await endsOf(admin, topic).catch(() => []);
  if (ends.length === 0) return [`${topic} (deleted)`, "", "", ""];
  if (partitions.some(({ metadata }) => metadata === START_MARK)) {
    return [topic, NOT_TOLD, ends.reduce((sum, { high }) => sum + high, 0), NOT_TOLD];
  }
  const sums = { read: 0, end: 0, lag: 0 };
  for (const { partition, low, high } of ends) {
    const committed = Number(partitions.find((position) => position.partition === partition)?.offset ?? -1);
    const position = committed < 0 ? low : committed;
    sums.read += position;
    sums.end += high;
    sums.lag += Math.max(0, high - Math.max(position, low));
  }
  return [topic, sums.read, sums.end, sums.lag];
}
