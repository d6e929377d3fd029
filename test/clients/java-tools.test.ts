/** Apache Kafka's own command-line and performance tools, as they are called by hand. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uniqueName, waitFor } from "@kelvin/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ClientError } from "./client.ts";
import { admin, committed, createTopic, group, write } from "./observer.ts";
import { because, brokers, CODECS, isSkipped, prepared } from "./roster.ts";

const java = prepared.java;
const missing = typeof java === "string" ? java : undefined;
const skipped = isSkipped({ missing });
const TOOLS = "org.apache.kafka.tools";
const TO = ["--bootstrap-server", brokers];
const PATIENT = { timeoutMs: 180_000, everyMs: 200 };
const RUNNING = new Set<ChildProcess>();

let folder = "";
beforeAll(async () => {
  await admin.connect();
  folder = await mkdtemp(join(tmpdir(), "kelvin-java-"));
});
afterAll(async () => {
  for (const child of RUNNING) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
  await admin.disconnect();
});

interface Running {
  readonly child: ChildProcess;
  out: string;
  err: string;
  readonly ended: Promise<number | null>;
}

function start(tool: string, args: readonly string[], input = ""): Running {
  if (typeof java === "string") throw new ClientError(java);
  const jvm = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx192m"];
  const child = spawn(java.path, [...jvm, "-cp", `${java.jars}/*`, tool, ...args]);
  RUNNING.add(child);
  const ended = once(child, "close").then(([code]) => {
    RUNNING.delete(child);
    return typeof code === "number" ? code : null;
  });
  const running: Running = { child, out: "", err: "", ended };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    running.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    running.err += text;
  });
  child.stdin.on("error", () => {}); // a tool that ends early says why
  child.stdin.end(input);
  return running;
}

/** One run to its end; what it printed. */
async function run(tool: string, args: readonly string[], input = ""): Promise<string> {
  const running = start(tool, args, input);
  const code = await running.ended;
  if (code !== 0)
    throw new ClientError(`${tool} ${args.join(" ")} ended with ${code}:\n${running.out}${running.err}`);
  return running.out;
}

const lines = (text: string) => text.trim().split("\n");
const numbers = (count: number) => Array.from({ length: count }, (_, index) => ({ value: String(index) }));
const consume = (topic: string, count: number, ...more: string[]) =>
  run(`${TOOLS}.consumer.ConsoleConsumer`, [
    ...TO,
    ...["--topic", topic, "--from-beginning", "--max-messages", String(count), "--timeout-ms", "120000"],
    ...more,
  ]);

describe.skipIf(skipped)(`Java tools${because(missing)}`, { concurrent: true }, () => {
  test("kafka-topics", async () => {
    const topic = uniqueName("topics");
    const topics = (...args: string[]) => run(`${TOOLS}.TopicCommand`, [...TO, ...args]);
    await topics("--create", "--topic", topic, "--partitions", "2", "--config", "retention.ms=1234567");
    expect(await topics("--describe", "--topic", topic)).toMatch(
      /PartitionCount: 2\s+ReplicationFactor: 1\s+Configs: .*retention\.ms=1234567/,
    );
    await topics("--alter", "--topic", topic, "--partitions", "4");
    const described = await topics("--describe", "--topic", topic);
    expect(described.match(/Partition: \d\s+Leader: \d+\s+Replicas: \d+\s+Isr: \d+/g)).toHaveLength(4);
    expect(lines(await topics("--list"))).toContain(topic);
    await topics("--delete", "--topic", topic);
    await waitFor("its end", async () => !(await admin.listTopics()).includes(topic));
  });

  test("kafka-configs", async () => {
    const topic = uniqueName("configured");
    await createTopic(topic);
    const configs = (...args: string[]) =>
      run("kafka.admin.ConfigCommand", [...TO, "--entity-type", "topics", "--entity-name", topic, ...args]);
    await configs("--alter", "--add-config", "retention.ms=5000,cleanup.policy=[compact,delete]");
    expect(await configs("--describe")).toMatch(/cleanup\.policy=compact,delete[\s\S]*retention\.ms=5000/);
    await configs("--alter", "--delete-config", "retention.ms");
    const described = await configs("--describe");
    expect(described).toContain("cleanup.policy=compact,delete");
    expect(described).not.toContain("retention.ms=5000");
    expect(await configs("--describe", "--all")).toContain("retention.ms=604800000");
  });

  test.each(CODECS)("console producer and consumer, %s", async (codec) => {
    const topic = uniqueName("console");
    await createTopic(topic);
    const input = Array.from({ length: 50 }, (_, index) => `k${index}:value ${index} of ${"x".repeat(50)}`);
    const properties = ["parse.key=true", "key.separator=:"].flatMap((one) => ["--reader-property", one]);
    const args = [...TO, "--topic", topic, "--compression-codec", codec, ...properties];
    await run(`${TOOLS}.ConsoleProducer`, args, `${input.join("\n")}\n`);
    const shown = ["print.key=true", "key.separator=:"].flatMap((one) => ["--formatter-property", one]);
    expect(lines(await consume(topic, 50, ...shown))).toEqual(input);
  });

  test("kafka-consumer-groups and a group that loses a member", async () => {
    const [topic, groupId] = [uniqueName("grouped"), uniqueName("group")];
    await createTopic(topic, 2);
    const member = () =>
      start(`${TOOLS}.consumer.ConsoleConsumer`, [
        ...TO,
        ...["--topic", topic, "--group", groupId, "--from-beginning"],
        ...["--consumer-property", "session.timeout.ms=6000"],
        ...["--consumer-property", "auto.commit.interval.ms=100"],
      ]);
    const members = [member(), member()] as const;
    await waitFor(
      "two members",
      async () => {
        const found = await group(groupId);
        return found?.state === "Stable" && found.members.length === 2;
      },
      PATIENT,
    );
    await write(
      topic,
      numbers(20).map((one, index) => ({ ...one, partition: index % 2 })),
    );
    await waitFor("their commits", async () => (await committed(groupId, topic)) === 20, PATIENT);
    const groups = (...args: string[]) =>
      run(`${TOOLS}.consumer.group.ConsumerGroupCommand`, [...TO, ...args]);
    const described = await groups("--describe", "--group", groupId);
    expect(lines(described).filter((line) => line.includes(topic))).toHaveLength(2);
    expect(described).toMatch(new RegExp(`${topic}\\s+0\\s+10\\s+10\\s+0\\s`));
    expect(await groups("--describe", "--group", groupId, "--state")).toMatch(/range\s+.*Stable\s+2/);
    expect(await groups("--describe", "--group", groupId, "--members")).toContain("console-consumer");

    members[0].child.kill("SIGKILL");
    await waitFor(
      "the other alone",
      async () => {
        const found = await group(groupId);
        return found?.state === "Stable" && found.members.length === 1;
      },
      PATIENT,
    );
    await write(topic, [
      { value: "after", partition: 0 },
      { value: "after", partition: 1 },
    ]);
    await waitFor("the rest", async () => (await committed(groupId, topic)) === 22, PATIENT);
    members[1].child.kill("SIGTERM");
    await members[1].ended;
    const read = members.flatMap(({ out }) => lines(out)).filter((line) => /^(\d+|after)$/.test(line));
    expect(new Set(read).size).toBe(21);

    expect(lines(await groups("--list"))).toContain(groupId);
    await groups("--reset-offsets", "--group", groupId, "--topic", topic, "--to-offset", "3", "--execute");
    expect(await committed(groupId, topic)).toBe(6);
    await groups(
      "--reset-offsets",
      "--group",
      groupId,
      "--topic",
      topic,
      "--to-datetime",
      "2020-01-01T00:00:00.000",
      "--execute",
    );
    expect(await committed(groupId, topic)).toBe(0);
    await groups("--delete-offsets", "--group", groupId, "--topic", topic);
    await groups("--delete", "--group", groupId);
    expect(lines(await groups("--list"))).not.toContain(groupId);
  });

  test("kafka-get-offsets and kafka-delete-records", async () => {
    const topic = uniqueName("offsets");
    await createTopic(topic);
    const start = Date.now() - 10_000;
    await write(
      topic,
      numbers(10).map((one, index) => ({ ...one, timestamp: start + index })),
    );
    const offsets = async (time: string | number) =>
      lines(await run(`${TOOLS}.GetOffsetShell`, [...TO, "--topic", topic, "--time", String(time)])).at(-1);
    expect(await offsets(-1)).toBe(`${topic}:0:10`);
    expect(await offsets(start + 4)).toBe(`${topic}:0:4`);
    const file = join(folder, "delete.json");
    await writeFile(file, JSON.stringify({ partitions: [{ topic, partition: 0, offset: 6 }], version: 1 }));
    await run(`${TOOLS}.DeleteRecordsCommand`, [...TO, "--offset-json-file", file]);
    expect(await offsets(-2)).toBe(`${topic}:0:6`);
    expect(lines(await consume(topic, 4))).toEqual(["6", "7", "8", "9"]);
  });

  test("producer and consumer performance", async () => {
    const topic = uniqueName("performance");
    await createTopic(topic, 2);
    const properties = ["--producer-props", `bootstrap.servers=${brokers}`, "compression.type=lz4"];
    const load = ["--num-records", "20000", "--record-size", "100", "--throughput", "-1"];
    const told = await run(`${TOOLS}.ProducerPerformance`, ["--topic", topic, ...load, ...properties]);
    expect(told).toMatch(/20000 records sent, [\d.]+ records\/sec/);
    const read = await run(`${TOOLS}.ConsumerPerformance`, [
      ...TO,
      "--topic",
      topic,
      "--messages",
      "20000",
      "--timeout",
      "60000",
    ]);
    expect(Number(lines(read).at(-1)?.split(",")[4])).toBeGreaterThanOrEqual(20_000);
  });

  test("verifiable producer and consumer", async () => {
    const [topic, groupId] = [uniqueName("verified"), uniqueName("group")];
    await createTopic(topic, 2);
    const told = await run(`${TOOLS}.VerifiableProducer`, [...TO, "--topic", topic, "--max-messages", "500"]);
    expect(told).toMatch(/"sent":500,"acked":500/);
    const options = ["--group-id", groupId, "--max-messages", "500", "--reset-policy", "earliest"];
    const read = await run(`${TOOLS}.VerifiableConsumer`, [...TO, "--topic", topic, ...options]);
    expect(read).toMatch(/"name":"partitions_assigned"/);
    await waitFor("its commits", async () => (await committed(groupId, topic)) === 500);
  });

  test("kafka-transactions", async () => {
    const [topic, id] = [uniqueName("transacted"), uniqueName("writer")];
    await createTopic(topic);
    const properties = ["--producer-props", `bootstrap.servers=${brokers}`];
    // It commits each 100 ms, and leaves the last one as it ends.
    const load = ["--num-records", "300", "--record-size", "10", "--throughput", "1000"];
    const inTransactions = ["--transactional-id", id, "--transaction-duration-ms", "100"];
    await run(`${TOOLS}.ProducerPerformance`, ["--topic", topic, ...load, ...inTransactions, ...properties]);
    expect(lines(await consume(topic, 300, "--isolation-level", "read_committed"))).toHaveLength(300);
    const transactions = (...args: string[]) => run(`${TOOLS}.TransactionsCommand`, [...TO, ...args]);
    expect(await transactions("list")).toMatch(new RegExp(`${id}\\s+\\d+\\s+\\d+\\s+CompleteCommit`));
    expect(await transactions("list", "--transactional-id-pattern", `${id}.*`)).toContain(id);
    expect(await transactions("describe", "--transactional-id", id)).toMatch(/CompleteCommit/);
    const producers = await transactions("describe-producers", "--topic", topic, "--partition", "0");
    expect(lines(producers)).toHaveLength(2);
    expect(await transactions("find-hanging", "--broker-id", String(await firstBroker()))).not.toContain(
      topic,
    );
  });

  test("the transactional copier", async () => {
    const [from, to, groupId] = [uniqueName("from"), uniqueName("to"), uniqueName("group")];
    await createTopic(from);
    await createTopic(to);
    await write(from, numbers(50));
    const names = [
      "--input-topic",
      from,
      "--input-partition",
      "0",
      "--output-topic",
      to,
      "--consumer-group",
      groupId,
    ];
    const size = [
      "--transaction-size",
      "7",
      "--max-messages",
      "50",
      "--transactional-id",
      uniqueName("copier"),
    ];
    const told = await run(`${TOOLS}.TransactionalMessageCopier`, [
      "--broker-list",
      brokers,
      ...names,
      ...size,
      "--enable-random-aborts",
    ]);
    expect(told).toMatch(/"remaining":0/);
    expect(lines(await consume(to, 50, "--isolation-level", "read_committed"))).toEqual(
      numbers(50).map(({ value }) => value),
    );
    expect(await committed(groupId, from)).toBe(50);
  });
});

async function firstBroker(): Promise<number> {
  const { brokers: nodes } = await admin.describeCluster();
  return nodes[0]?.nodeId ?? 1;
}
