/** `npm run watch`: the records of a topic as they come, from the first one on. */
import { randomUUID } from "node:crypto";
import { watchStopRequests } from "@kelvin/service-kit";
import type { Consumer, KafkaMessage } from "kafkajs";
import { readArguments } from "./people/arguments.ts";
import { mustExist, withKafka } from "./people/kafka.ts";
import { runTool, ToolError } from "./supervise/errors.ts";

/** Characters of a key or value. */
const SHOWN_MAX = 2000;

const HELP = `npm run watch -- <topic>      Shows a topic's records from the beginning, until Ctrl-C: time, key, value.

  --new             only new records
  --count <n>       stops after n records
  --headers         also the records' headers (always shown for dead letters: they say why)`;

await runTool(async () => {
  const { positionals, values } = readArguments(HELP, ["topic"], {
    new: { type: "boolean" },
    count: { type: "string" },
    headers: { type: "boolean" },
  });
  const topic = positionals[0] ?? "";
  const count = Number(values.count ?? Number.POSITIVE_INFINITY);
  if (!(count >= 1))
    throw new ToolError(`--count ${values.count}: must be 1 or more.\n\n${HELP}`, { exitCode: 2 });
  const showsHeaders = values.headers === true || topic.endsWith(".dlq");
  const asked = watchStopRequests(() => process.exit(1));
  await withKafka(async (admin, kafka) => {
    await mustExist(admin, topic);
    const groupId = `kelvin-watch-${randomUUID()}`;
    const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, maxWaitTimeInMs: 500 });
    const done = new Promise<void>((resolve) => {
      asked.addEventListener("abort", () => resolve());
      // `npm run watch -- sensor | head`: nobody reads any more.
      process.stdout.on("error", () => resolve());
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: values.new !== true });
    try {
      await Promise.race([done, show(consumer, count, showsHeaders)]);
    } finally {
      await consumer.disconnect();
      await admin.deleteGroups([groupId]).catch(() => {});
    }
  });
  return 0;
});

/** Resolves after `count` records. */
function show(consumer: Consumer, count: number, showsHeaders: boolean): Promise<void> {
  let left = count;
  const shown = new Map<number, { offset: bigint; timestampMs: number }>();
  /** After an error kafkajs starts over. A recreated topic has the same offsets, but newer records. */
  const isShown = (partition: number, { offset, timestamp }: KafkaMessage) => {
    const last = shown.get(partition);
    if (last !== undefined && BigInt(offset) <= last.offset && Number(timestamp) <= last.timestampMs)
      return true;
    shown.set(partition, { offset: BigInt(offset), timestampMs: Number(timestamp) });
    return false;
  };
  return new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (!restart)
        reject(new ToolError(`Can't continue reading the topic: ${error.message}`, { cause: error }));
    });
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          if (left <= 0 || isShown(partition, message)) return;
          process.stdout.write(`${lineOf(message, showsHeaders)}\n`);
          left--;
          if (left <= 0) resolve();
        },
      })
      .catch(reject);
  });
}

function lineOf({ timestamp, key, value, headers }: KafkaMessage, showsHeaders: boolean): string {
  const parts = [
    new Date(Number(timestamp)).toISOString(),
    textOf(key, "(no key)"),
    textOf(value, "(empty)"),
  ];
  if (showsHeaders) {
    for (const [name, content] of Object.entries(headers ?? {})) parts.push(`${name}=${textOf(content, "")}`);
  }
  return parts.join("  ");
}

/** A record is somebody else's text: what could steer a terminal is made visible, and no line is endless. */
function textOf(bytes: unknown, empty: string): string {
  const text = Buffer.isBuffer(bytes) ? bytes.toString("utf8") : typeof bytes === "string" ? bytes : "";
  if (text === "") return empty;
  const visible = text.replace(
    /\p{Cc}/gu,
    (code) => `\\x${code.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return visible.length <= SHOWN_MAX
    ? visible
    : `${visible.slice(0, SHOWN_MAX)} ... (${text.length} characters)`;
}
