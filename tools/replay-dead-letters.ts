/** `npm run replay-dead-letters`: sends the records of a dead-letter topic back to where they came from, each once. */
import { deadLetterTopicName } from "@kelvin/streams";
import kafkajs, { type Admin, type Kafka, type Producer } from "kafkajs";
import * as z from "zod";
import { readArguments } from "./people/arguments.ts";
import {
  kindOf,
  type Lot,
  type LyingLetter,
  letterOf,
  lotsOf,
  ownHeaders,
  USUAL_CODES,
} from "./people/dead-letters.ts";
import { endsOf, mustExist, withKafka } from "./people/kafka.ts";
import { readTopic } from "./people/read-topic.ts";
import { table } from "./people/table.ts";
import { runTool, ToolError } from "./supervise/errors.ts";

const CODES = [...USUAL_CODES, "late"];

const HELP = `npm run replay-dead-letters -- <topic>      Sends the records in <topic>.dlq back to <topic>, in the Kafka at KAFKA_BROKERS (localhost:9092).

  --pipeline <name>    only dead letters of this pipeline
  --code <a,b>         only these codes: ${CODES.join(", ")} (default: all but late, which would be late again)
  --limit <n>          at most n records (default 10000)
  --dry-run            shows what would be sent, and sends nothing

A record goes back as it was: key, value, own headers, time and partition. It is sent once, however often the command is
run or killed: progress is recorded in <topic>.dlq-replayed, in one transaction with the records. All pipelines that read
the topic see it again. Window results ("result-failed") and dead letters that were truncated are not sent.`;

/** How far the letters of a kind were sent back. */
const UpTo = z.object({ upTo: z.number() });

/** Records in one transaction. */
const CHUNK = 500;

await runTool(async () => {
  const { positionals, values } = readArguments(HELP, ["topic"], {
    pipeline: { type: "string" },
    code: { type: "string" },
    limit: { type: "string", default: "10000" },
    "dry-run": { type: "boolean" },
  });
  const [topic = ""] = positionals;
  const codes = codesOf(values.code);
  const limit = Number(values.limit);
  if (!(Number.isSafeInteger(limit) && limit >= 1))
    throw new ToolError(`--limit ${values.limit}: must be a whole number of at least 1.\n\n${HELP}`, {
      exitCode: 2,
    });
  const dryRun = values["dry-run"] === true;
  await withKafka(async (admin, kafka) => {
    await mustExist(admin, topic);
    await mustExist(admin, deadLetterTopicName(topic));
    const producer = dryRun ? undefined : await ownProducer(kafka, admin, topic);
    try {
      const progress = await readProgress(kafka, admin, topic);
      const letters = await readLetters(kafka, admin, topic);
      const lots = lotsOf(letters, { pipeline: values.pipeline, codes, progress, limit });
      const sending = letters.filter((each) => lots.get(each) === "to send");
      if (producer !== undefined) await send(producer, admin, topic, sending);
      process.stdout.write(reportOf(topic, lots, dryRun));
    } finally {
      await producer?.disconnect();
    }
  });
  return 0;
});

function codesOf(text: string | undefined): readonly string[] {
  const codes = text?.split(",") ?? USUAL_CODES;
  const wrong = codes.find((code) => !CODES.includes(code));
  if (wrong === undefined) return codes;
  throw new ToolError(`--code ${wrong}: must be one of ${CODES.join(", ")}.\n\n${HELP}`, { exitCode: 2 });
}

function progressTopicOf(topic: string): string {
  return `${deadLetterTopicName(topic)}-replayed`;
}

/** From here on any other run for the same topic is fenced: what is read next stays true. */
async function ownProducer(kafka: Kafka, admin: Admin, topic: string): Promise<Producer> {
  const progressTopic = progressTopicOf(topic);
  if (!(await admin.listTopics()).includes(progressTopic)) {
    const configEntries = [{ name: "cleanup.policy", value: "compact" }];
    await admin.createTopics({ topics: [{ topic: progressTopic, numPartitions: 1, configEntries }] });
  }
  const producer = kafka.producer({
    transactionalId: `kelvin-replay-dead-letters-${topic}`,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { initialRetryTime: 50 },
  });
  await producer.connect();
  return producer;
}

async function readProgress(kafka: Kafka, admin: Admin, topic: string): Promise<Map<string, number>> {
  const progress = new Map<string, number>();
  const progressTopic = progressTopicOf(topic);
  if (!(await admin.listTopics()).includes(progressTopic)) return progress;
  await readTopic(kafka, admin, progressTopic, ({ key, value }) => {
    progress.set(String(key), UpTo.parse(JSON.parse(String(value))).upTo);
  });
  // A recreated dead-letter topic starts over.
  const ends = await endsOf(admin, deadLetterTopicName(topic));
  for (const [kind, upTo] of progress) {
    const isThere = ends.some(({ partition, high }) => kind.startsWith(`[${partition},`) && upTo <= high);
    if (!isThere) progress.delete(kind);
  }
  return progress;
}

async function readLetters(kafka: Kafka, admin: Admin, topic: string): Promise<LyingLetter[]> {
  const letters: LyingLetter[] = [];
  await readTopic(kafka, admin, deadLetterTopicName(topic), (message, partition) => {
    const letter = letterOf(message, partition, topic);
    if (letter !== undefined) letters.push(letter);
  });
  return letters;
}

/** Records and how far they reach, both or none. */
async function send(
  producer: Producer,
  admin: Admin,
  topic: string,
  letters: readonly LyingLetter[],
): Promise<void> {
  const partitions = (await endsOf(admin, topic)).length;
  for (let from = 0; from < letters.length; from += CHUNK) {
    const chunk = letters.slice(from, from + CHUNK);
    const messages = chunk.map(({ letter, message: { key, value, headers, timestamp } }) => ({
      key,
      value,
      timestamp,
      headers: ownHeaders(headers),
      ...(letter.source.partition < partitions && { partition: letter.source.partition }),
    }));
    const reached = new Map(chunk.map((each) => [kindOf(each), each.offset + 1]));
    const notes = [...reached].map(([key, upTo]) => ({ key, value: JSON.stringify({ upTo }) }));
    const transaction = await producer.transaction();
    try {
      await transaction.sendBatch({
        topicMessages: [
          { topic, messages },
          { topic: progressTopicOf(topic), messages: notes },
        ],
      });
      await transaction.commit();
    } catch (error) {
      await transaction.abort();
      throw error;
    }
  }
}

function reportOf(topic: string, lots: ReadonlyMap<LyingLetter, Lot>, dryRun: boolean): string {
  const counts = new Map<string, [pipeline: string, code: string, lot: string, count: number]>();
  for (const [{ letter }, lot] of lots) {
    const said = lot === "to send" && !dryRun ? "sent" : lot;
    const kind = JSON.stringify([letter.pipeline, letter.code, said]);
    const row = counts.get(kind) ?? [letter.pipeline, letter.code, said, 0];
    row[3]++;
    counts.set(kind, row);
  }
  if (counts.size === 0) return `There are no dead letters of "${topic}".\n`;
  const rows = [...counts].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
  return table(["PIPELINE", "CODE", "WHAT", "RECORDS"], rows);
}
