/** The loop of a driver in TypeScript: one request a line on standard input, one answer a line on standard output. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";

const Request = z.looseObject({ id: z.number(), do: z.string() });

export type Command = (request: unknown) => unknown;

/** Serves until standard input ends, then ends the process: whatever the client has open is gone with it. */
export async function serve(commands: Readonly<Record<string, Command>>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = Request.parse(JSON.parse(line));
    // Not awaited: a member answers "seen" while something else goes on.
    void answer(request.id, async () => commands[request.do]?.(request) ?? null);
  }
  process.exit(0);
}

async function answer(id: number, work: () => Promise<unknown>): Promise<void> {
  try {
    say({ id, result: await work() });
  } catch (error) {
    say({ id, error: error instanceof Error ? told(error) : String(error) });
  }
}

/** An error with what it came from: some clients wrap the broker's word twice. */
function told(error: Error): string {
  const parts =
    error instanceof AggregateError ? error.errors : error.cause === undefined ? [] : [error.cause];
  const causes = parts.map((part: unknown) => (part instanceof Error ? told(part) : String(part)));
  return [`${error.name}: ${error.message}`, ...causes].join(" <- ");
}

const say = (answered: object): void => void process.stdout.write(`${JSON.stringify(answered)}\n`);

/** Of a library that the root's package.json names. */
export function versionOf(library: string): string {
  const file = new URL(`../../../node_modules/${library}/package.json`, import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).version;
}

export const brokers = (process.env["KAFKA_BROKERS"] ?? "").split(",");

// ------------------------------------------------------------------ requests

const topic = z.string();
const partitions = z.number();
const isolation = z.enum(["read_committed", "read_uncommitted"]);
export const ProducedRecord = z.object({
  partition: z.number(),
  key: z.string().nullable(),
  value: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  timestamp: z.number(),
});

export const Create = z.object({ topic, partitions, configs: z.record(z.string(), z.string()) });
export const OfTopic = z.object({ topic });
export const Alter = z.object({ topic, configs: z.record(z.string(), z.string()) });
export const Grow = z.object({ topic, partitions });
export const Produce = z.object({ topic, codec: z.string(), records: z.array(ProducedRecord) });
export const Read = z.object({ topic, partitions, isolation, count: z.number() });
export const OffsetAt = z.object({ topic, partition: z.number(), timestamp: z.number() });
export const Join = z.object({ topic, group: z.string() });
export const Begin = z.object({ producer: z.string(), transactionalId: z.string() });
export const Transact = z.object({
  producer: z.string(),
  topic,
  values: z.array(z.string()),
  end: z.enum(["commit", "abort", "none"]),
});
export const Copy = z.object({
  transactionalId: z.string(),
  group: z.string(),
  from: z.string(),
  to: z.string(),
  count: z.number(),
  end: z.enum(["commit", "abort"]),
});
export type Read = z.infer<typeof Read>;

export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
}
