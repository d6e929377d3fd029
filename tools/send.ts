/** `npm run send`: puts records into a topic by hand. */
import kafkajs, { type Message, type Producer } from "kafkajs";
import { readArguments } from "./people/arguments.ts";
import { mustExist, withKafka } from "./people/kafka.ts";
import { runTool, ToolError } from "./supervise/errors.ts";

const HELP = `npm run send -- <topic> [value]      Sends a record to a topic of the Kafka at KAFKA_BROKERS (localhost:9092).

  --key <key>              the record's key; records with the same key share a partition and stay in order
  --header <name=value>    a header; can be given several times
  --empty                  a record without a value

Without a value, each line of standard input is a record: npm run send -- sensor --key machine-01 < readings.jsonl`;

await runTool(async () => {
  const { positionals, values } = readArguments(HELP, ["topic", "value?"], {
    key: { type: "string" },
    header: { type: "string", multiple: true },
    empty: { type: "boolean" },
  });
  const [topic = "", value] = positionals;
  if (values.empty && value !== undefined)
    throw wrong(`--empty and the value "${value}" exclude each other.`);
  const rest: Omit<Message, "value"> = { key: values.key ?? null, headers: headersOf(values.header ?? []) };
  await withKafka(async (admin, kafka) => {
    await mustExist(admin, topic);
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    try {
      const given = values.empty ? [[null]] : value === undefined ? linesOfInput() : [[value]];
      const sent = await sendAll(producer, topic, given, rest);
      process.stdout.write(`${sent === 1 ? "1 record is" : `${sent} records are`} in "${topic}".\n`);
    } finally {
      await producer.disconnect();
    }
  });
  return 0;
});

async function sendAll(
  producer: Producer,
  topic: string,
  batches: Iterable<(string | null)[]> | AsyncIterable<string[]>,
  rest: Omit<Message, "value">,
): Promise<number> {
  let sent = 0;
  for await (const batch of batches) {
    await producer.send({ topic, messages: batch.map((value) => ({ ...rest, value })) });
    sent += batch.length;
  }
  return sent;
}

/** Lines as they come: those that came together are sent together. Empty ones are none. */
async function* linesOfInput(): AsyncGenerator<string[]> {
  if (process.stdin.isTTY) process.stderr.write("One record per line; Ctrl-D to finish.\n");
  let begun = "";
  for await (const text of process.stdin.setEncoding("utf8")) {
    const lines = `${begun}${text}`.split(/\r?\n/);
    begun = lines.pop() ?? "";
    const whole = lines.filter((line) => line !== "");
    if (whole.length > 0) yield whole;
  }
  if (begun !== "") yield [begun];
}

function headersOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw wrong(`--header ${text}: must be name=value.`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function wrong(problem: string): ToolError {
  return new ToolError(`${problem}\n\n${HELP}`, { exitCode: 2 });
}
