/** kcat, a run of which is a command: no process of it stays but a member of a group. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { waitFor } from "@kelvin/test-kit";
import * as z from "zod";
import { type Client, ClientError } from "./client.ts";
import { Join, OffsetAt, OfTopic, Produce, Read } from "./drivers/serve.ts";

const Listed = z.object({
  topics: z.array(z.object({ topic: z.string(), partitions: z.array(z.object({ partition: z.number() })) })),
});
const Envelope = z.object({
  partition: z.number(),
  offset: z.number(),
  ts: z.number(),
  headers: z.array(z.string()).optional(),
  key: z.string().nullable(),
  payload: z.string().nullable(),
});
const KEY_DELIMITER = "|";

export class KcatClient implements Client {
  readonly #brokers: string;
  #member: { readonly child: ChildProcess; out: string; err: string } | undefined;

  constructor(brokers: string) {
    this.#brokers = brokers;
  }

  async call(command: string, request: object = {}): Promise<unknown> {
    switch (command) {
      case "about": {
        const [, kcat, core] = /Version ([\d.]+).*librdkafka ([\d.]+)/s.exec(await this.#run(["-V"])) ?? [];
        return { version: `${kcat}, librdkafka ${core}` };
      }
      case "topics":
        return (await this.#listed()).topics.map(({ topic }) => topic);
      case "partitions": {
        const { topic } = OfTopic.parse(request);
        return (await this.#listed()).topics.find((one) => one.topic === topic)?.partitions.length;
      }
      case "produce":
        return this.#produce(request);
      case "read":
        return this.#read(request);
      case "offsetAt": {
        const { topic, partition, timestamp } = OffsetAt.parse(request);
        const told = await this.#run(["-Q", "-t", `${topic}:${partition}:${timestamp}`]);
        return Number(/offset (-?\d+)/.exec(told)?.[1]);
      }
      case "join":
        return this.#join(request);
      case "seen":
        return this.#seen();
      case "leave":
        return this.#end("SIGTERM");
      default:
        throw new ClientError(`kcat has no command for "${command}"`);
    }
  }

  async #listed() {
    return Listed.parse(JSON.parse(await this.#run(["-L", "-J"])));
  }

  async #produce(request: object): Promise<void> {
    const { topic, codec, records } = Produce.parse(request);
    const [first] = records;
    const headers = Object.entries(first?.headers ?? {}).flatMap(([name, value]) => [
      "-H",
      `${name}=${value}`,
    ]);
    const lines = records.map(({ key, value }) =>
      key === null ? `${value}\n` : `${key}${KEY_DELIMITER}${value ?? ""}\n`,
    );
    const to = ["-t", topic, "-p", String(first?.partition), "-z", codec];
    const settings = ["-X", "enable.idempotence=true", "-X", "linger.ms=100"];
    await this.#run(["-P", ...to, ...headers, "-Z", "-K", KEY_DELIMITER, ...settings], lines.join(""));
  }

  async #read(request: object): Promise<unknown> {
    const { topic, isolation, count } = Read.parse(request);
    const settings = ["-X", `isolation.level=${isolation}`, "-X", "fetch.wait.max.ms=100"];
    const text = await this.#run([
      "-C",
      "-t",
      topic,
      "-o",
      "beginning",
      "-c",
      String(count),
      "-J",
      ...settings,
    ]);
    return text
      .trim()
      .split("\n")
      .map((line) => {
        const {
          partition,
          offset,
          ts: timestamp,
          headers = [],
          key,
          payload: value,
        } = Envelope.parse(JSON.parse(line));
        const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? ""]] : []));
        return { partition, offset, key, value, headers: Object.fromEntries(pairs), timestamp };
      });
  }

  async #join(request: object): Promise<void> {
    const { group, topic } = Join.parse(request);
    const settings = [
      "auto.offset.reset=earliest",
      "session.timeout.ms=6000",
      "heartbeat.interval.ms=500",
      "fetch.wait.max.ms=100",
      "auto.commit.interval.ms=100",
    ].flatMap((setting) => ["-X", setting]);
    const child = spawn("kcat", ["-b", this.#brokers, ...settings, "-u", "-f", "%s\\n", "-G", group, topic]);
    const member = { child, out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      member.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      member.err += text;
    });
    this.#member = member;
    await waitFor("kcat's start", () => child.pid !== undefined);
  }

  #seen() {
    const { out = "", err = "" } = this.#member ?? {};
    const told = err.split("\n").findLast((line) => /assigned: |revoked: /.test(line)) ?? "";
    const partitions = told.includes("revoked: ") ? [] : [...told.matchAll(/\[(\d+)\]/g)];
    return {
      values: out.split("\n").slice(0, -1),
      assigned: partitions.map(([, partition]) => Number(partition)),
    };
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#member?.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "close");
    child.kill(signal);
    await ended;
  }

  /** One run to its end; what it printed. */
  async #run(args: readonly string[], input = ""): Promise<string> {
    const child = spawn("kcat", ["-b", this.#brokers, ...args]);
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    // One that only reads may have ended before it was given nothing: its exit code tells how.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const [code] = await once(child, "close");
    if (code !== 0) throw new ClientError(`kcat ${args.join(" ")} ended with ${code}: ${err}`);
    return out === "" ? err : out;
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
