/** An unmodified librdkafka against the broker, by way of kcat. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Broker, startBroker } from "../index.ts";

/** True where kcat is not on PATH and may be done without: with CI=true the tests run, and so fail. */
const isMissing = spawnSync("kcat", ["-V"]).error !== undefined && process.env["CI"] !== "true";

let broker: Broker;
beforeEach(async () => {
  broker = await startBroker({ numPartitions: 1 });
});
afterEach(() => broker.stop());

/** One run of kcat to its end; what it printed. */
async function kcat(args: string[], input = ""): Promise<string> {
  // localhost may be either loopback: librdkafka picks.
  const child = spawn("kcat", ["-b", `localhost:${broker.port}`, "-q", ...args]);
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  child.stdin.end(input);
  const [code] = await once(child, "close");
  expect({ code, err }).toEqual({ code: 0, err: expect.any(String) });
  return out;
}

const consume = (topic: string, ...more: string[]) =>
  kcat(["-C", "-t", topic, "-o", "beginning", "-e", "-f", "%p %o %k %s %h\n", ...more]);

describe.skipIf(isMissing)("kcat (librdkafka)", () => {
  test.each(["none", "gzip", "snappy", "lz4", "zstd"])(
    "what it produces with codec %s it consumes",
    async (codec) => {
      const lines = Array.from({ length: 100 }, (_, index) => `k${index}:value ${index}`);
      await kcat(["-P", "-t", "t", "-K:", "-z", codec, "-H", "a=b"], `${lines.join("\n")}\n`);
      const expected = lines.map((line, index) => `0 ${index} ${line.replace(":", " ")} a=b`);
      expect((await consume("t")).trim().split("\n")).toEqual(expected);
      // The broker itself can read them too.
      expect(broker.records("t").map(({ key, value }) => `${key}:${value}`)).toEqual(lines);
      // librdkafka compresses only for a broker that lists Produce 0.
      if (codec !== "none") expect(broker.topics()[0]?.partitions[0]?.bytes).toBeLessThan(2500);
    },
  );

  test("its idempotent producer and null keys and values go through", async () => {
    await kcat(["-P", "-t", "t", "-X", "enable.idempotence=true", "-Z", "-K:"], "a:1\nb:\n");
    expect(broker.records("t").map(({ key, value }) => [key?.toString(), value?.toString()])).toEqual([
      ["a", "1"],
      ["b", undefined],
    ]);
  });

  test("its consumer group reads everything and commits", async () => {
    await kcat(["-P", "-t", "t"], "one\ntwo\nthree\n");
    const read = await kcat(["-G", "g", "-o", "earliest", "-c", "3", "-f", "%s\n", "t"]);
    expect(read).toBe("one\ntwo\nthree\n");
    expect(broker.groups()).toMatchObject([
      { groupId: "g", state: "Empty", offsets: [{ topic: "t", partition: 0, offset: 3 }] },
    ]);
  });

  test("a run of it is a transaction, and the next run of the same id another", async () => {
    for (const line of ["one", "two"]) await kcat(["-P", "-t", "t", "-X", "transactional.id=x"], `${line}\n`);
    expect(broker.records("t").map(({ value, transaction }) => [String(value), transaction])).toEqual([
      ["one", "committed"],
      ["two", "committed"],
    ]);
    expect(broker.transactions()).toMatchObject([
      { transactionalId: "x", state: "CompleteCommit", producerEpoch: 1 },
    ]);
    expect(await consume("t", "-X", "isolation.level=read_committed", "-f", "%s\n")).toBe("one\ntwo\n");
  });

  test("it lists topics, with their leaders, and finds offsets by time", async () => {
    await kcat(["-P", "-t", "t"], "one\n");
    const listed: unknown = JSON.parse(await kcat(["-L", "-J"]));
    expect(listed).toMatchObject({
      brokers: [{ id: 1, name: `127.0.0.1:${broker.port}` }],
      topics: [{ topic: "t", partitions: [{ partition: 0, leader: 1 }] }],
    });
    expect(await kcat(["-Q", "-t", "t:0:1"])).toContain("t [0] offset 0");
    expect(await kcat(["-Q", "-t", `t:0:${Date.now() + 60_000}`])).toContain("offset -1");
  });
});
