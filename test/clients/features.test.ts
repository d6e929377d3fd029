/** Each client through its public API: topics, a group that loses a member, offsets by time, transactions. */
import { uniqueName, waitFor } from "@kelvin/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { About, type Client, Configs, ReadRecords, Seen } from "./client.ts";
import { admin, committed, createTopic, group, write } from "./observer.ts";
import { because, type Entry, isSkipped, roster } from "./roster.ts";

/** A session of 6 s, the least that an Apache Kafka takes by default, has to end; and the machine may be busy. */
const PATIENT = { timeoutMs: 180_000, everyMs: 200 };
const texts = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());

for (const entry of roster) {
  describe.concurrent(`${entry.name}${because(entry.missing)}`, () => {
    let started: Client | undefined;
    /** Not before a test runs: one that can't be started is the failure of that test. */
    const client = (): Client => {
      started ??= entry.start();
      return started;
    };
    afterAll(() => started?.[Symbol.asyncDispose]());
    const possible = test.skipIf(isSkipped(entry));

    possible("version", async () => {
      const { version } = About.parse(await client().call("about"));
      console.log(`${entry.name} ${version}`);
      expect(version).toMatch(/^v?\d+\.\d+/);
    });
    possible("admin", () => administers(entry, client()));
    possible("group", () => losesAMember(entry));
    possible("times", () => findsTimes(client()));
    if (entry.transactions) possible("transactions", () => commitsAbortsAndIsFenced(entry, client()));
    if (entry.copies !== false) possible("exactly once", () => copies(entry, client()));
  });
}

async function findsTimes(client: Client): Promise<void> {
  const topic = uniqueName("times");
  await createTopic(topic);
  const start = Date.now() - 60_000;
  const written = [0, 1000, 2000].map((after) => ({ value: `v${after}`, timestamp: start + after }));
  await write(topic, written);
  const at = (timestamp: number) => client.call("offsetAt", { topic, partition: 0, timestamp });
  expect(await at(start - 1)).toBe(0);
  expect(await at(start)).toBe(0);
  expect(await at(start + 1)).toBe(1);
  expect(await at(start + 2000)).toBe(2);
  // There is none: some clients say so, some say where it would be.
  expect([-1, 3]).toContain(await at(start + 2001));
}

async function administers({ admin: commands }: Entry, client: Client): Promise<void> {
  const topic = uniqueName("made");
  const can = (command: Entry["admin"][number]) => commands.includes(command);
  if (can("create")) {
    await client.call("create", { topic, partitions: 3, configs: { "retention.ms": "123456" } });
  } else {
    await createTopic(topic, 3);
  }
  const partitions = () => client.call("partitions", { topic });
  await waitFor("three partitions", async () => (await partitions()) === 3);
  const retention = async () => Configs.parse(await client.call("configs", { topic }))["retention.ms"];
  if (can("configs")) expect(await retention()).toBe("123456");
  if (can("alter")) {
    await client.call("alter", { topic, configs: { "retention.ms": "654321" } });
    await waitFor("the change", async () => (await retention()) === "654321");
  }
  if (can("grow")) {
    await client.call("grow", { topic, partitions: 5 });
    await waitFor("five partitions", async () => (await partitions()) === 5);
  }
  expect(await client.call("topics")).toContain(topic);
  if (can("delete")) {
    await client.call("delete", { topic });
    await waitFor("its end", async () => {
      const topics = await client.call("topics");
      return Array.isArray(topics) && !topics.includes(topic);
    });
  }
}

/** Two members share four partitions; one is killed, and the other continues with all from where it had committed. */
async function losesAMember(entry: Entry): Promise<void> {
  const [topic, groupId] = [uniqueName("shared"), uniqueName("group")];
  await createTopic(topic, 4);
  await using first = entry.start();
  await using second = entry.start();
  const members = [first, second];
  for (const member of members) await member.call("join", { group: groupId, topic });
  const seen = async (member: Client) => Seen.parse(await member.call("seen"));
  const owned = async () =>
    Promise.all(members.map(async (member) => (await seen(member)).assigned.toSorted()));
  await waitFor(
    "two members with two partitions each",
    async () => {
      const [one = [], other = []] = await owned();
      return one.length === 2 && other.length === 2 && new Set([...one, ...other]).size === 4;
    },
    PATIENT,
  );
  expect(await group(groupId)).toMatchObject({ state: "Stable", members: { length: 2 } });
  const spread = (values: string[]) => values.map((value, index) => ({ value, partition: index % 4 }));
  await write(topic, spread(texts("a", 20)));
  // A fetch that was under way before the second came may bring the first what is the second's by now: some clients hand
  // that on. Twice to one member would be the broker's fault.
  await waitFor(
    "all that was written",
    async () => {
      const read = (await Promise.all(members.map(seen))).map(({ values }) => values);
      for (const values of read) expect(values).toHaveLength(new Set(values).size);
      return new Set(read.flat()).size === 20;
    },
    PATIENT,
  );
  await waitFor("their commits", async () => (await committed(groupId, topic)) === 20, PATIENT);
  await first.kill();
  await write(topic, spread(texts("b", 20)));
  await waitFor(
    "all partitions at the other",
    async () => (await seen(second)).assigned.length === 4,
    PATIENT,
  );
  const after = async () => (await seen(second)).values.filter((value) => value.startsWith("b"));
  await waitFor("the rest", async () => (await after()).length >= 20, PATIENT);
  const rest = await after();
  expect(rest.toSorted()).toEqual(texts("b", 20).toSorted());
  await waitFor("its commits", async () => (await committed(groupId, topic)) === 40, PATIENT);
  await second.call("leave");
  await waitFor("an empty group", async () => (await group(groupId))?.state === "Empty", PATIENT);
}

async function valuesOf(
  client: Client,
  topic: string,
  isolation: string,
  count: number,
): Promise<(string | null)[]> {
  const found = ReadRecords.parse(await client.call("read", { topic, partitions: 1, isolation, count }));
  return found.map(({ value }) => value);
}

async function commitsAbortsAndIsFenced(entry: Entry, client: Client): Promise<void> {
  const [topic, transactionalId] = [uniqueName("transacted"), uniqueName("writer")];
  await createTopic(topic);
  const transact = (producer: string, values: string[], end: string) =>
    client.call("transact", { producer, topic, values, end });
  await client.call("begin", { producer: "old", transactionalId });
  await transact("old", ["c1", "c2"], "commit");
  await transact("old", ["x1"], "abort");
  await transact("old", ["x2"], "none");
  // Another of its name: what is open is aborted, and the older one is shut out.
  await client.call("begin", { producer: "new", transactionalId });
  await expect(transact("old", ["x3"], "commit")).rejects.toThrow();
  await transact("new", ["c3"], "commit");
  await using other = roster[0]?.start() ?? client;
  const reader = entry.dropsAborted ? client : other;
  expect(await valuesOf(reader, topic, "read_committed", 3)).toEqual(["c1", "c2", "c3"]);
  expect(await valuesOf(client, topic, "read_uncommitted", 5)).toEqual(["c1", "c2", "x1", "x2", "c3"]);
}

/** Read, process, write: records and the group's offsets are there together, or neither is. */
async function copies(entry: Entry, client: Client): Promise<void> {
  const [from, to, groupId] = [uniqueName("from"), uniqueName("to"), uniqueName("group")];
  await createTopic(from);
  await createTopic(to);
  await write(
    from,
    texts("v", 10).map((value) => ({ value })),
  );
  const copy = (end: string) =>
    client.call("copy", { transactionalId: uniqueName("copier"), group: groupId, from, to, count: 10, end });
  if (entry.copies === true) {
    await copy("abort");
    expect(await committed(groupId, from)).toBe(0);
  }
  await copy("commit");
  // The end is answered once it is decided; the marker that makes pending offsets count is written after that.
  await waitFor("its commits", async () => (await committed(groupId, from)) === 10);
  expect(await valuesOf(client, to, "read_committed", 10)).toEqual(texts("V", 10));
}
