/** The broker as a program. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, test } from "vitest";
import { parseCommand, UsageError } from "./cli-arguments.ts";
import { apiVersions } from "./protocol/messages/api-versions.ts";
import { RawClient } from "./testing/raw-client.ts";
import { TemporaryFolder } from "./testing/temporary-folder.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

interface Output {
  out: string;
  err: string;
}

function collect(child: ChildProcess): Output {
  const output = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  return output;
}

/** Runs to the end. */
async function run(args: string[], env: Record<string, string> = {}): Promise<Output & { code: number }> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
  const output = collect(child);
  const [code] = await once(child, "close");
  return { ...output, code: Number(code) };
}

/** Runs until it listens. */
async function listening(args: string[], env: Record<string, string> = {}) {
  const child = fork(MAIN, args, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, ...env },
  });
  const output = collect(child);
  // Not "close": Node does not tell it of a child that it has disconnected from.
  const exited = once(child, "exit");
  const [message] = await once(child, "message");
  return { child, output, exited, message };
}

describe("arguments", () => {
  test("the port is that of --port, else of KAFKA_PORT, else 9092", () => {
    const portOf = (args: string[], env: Record<string, string>) => {
      const command = parseCommand(args, env);
      return command.help ? undefined : command.options.port;
    };
    expect(portOf([], {})).toBe(9092);
    expect(portOf([], { KAFKA_PORT: "19" })).toBe(19);
    expect(portOf(["--", "--port", "20"], { KAFKA_PORT: "19" })).toBe(20);
  });

  test("settings go through by Kafka's names, and memory is bounded unless that is asked for", () => {
    const command = parseCommand(
      [
        "--partitions",
        "3",
        "--brokers",
        "2",
        "--no-auto-create",
        "--config",
        "log.retention.bytes=-1",
        "--host",
        "0.0.0.0",
      ],
      {},
    );
    expect(command).toMatchObject({
      options: {
        brokers: 2,
        host: "0.0.0.0",
        configs: {
          "num.partitions": "3",
          "auto.create.topics.enable": "false",
          "log.retention.bytes": "-1",
          "log.segment.bytes": "2097152",
        },
      },
    });
    expect(parseCommand([], {})).toMatchObject({
      options: { configs: { "log.retention.bytes": "16777216" } },
    });
  });

  test("clients are told localhost, as by Apache Kafka's own settings, unless an address is named", () => {
    const told = (...args: string[]) => {
      const command = parseCommand(args, {});
      return command.help ? undefined : command.options.advertisedHost;
    };
    expect(told()).toBe("localhost");
    expect(told("--host", "0.0.0.0")).toBeUndefined();
    expect(told("--host", "0.0.0.0", "--advertised-host", "broker.example")).toBe("broker.example");
  });

  test("a folder is seen from where npm was called, and may hold more than memory", () => {
    expect(parseCommand(["--data-dir", "here"], { INIT_CWD: "/somewhere" })).toMatchObject({
      options: {
        folder: resolve("/somewhere", "here"),
        configs: { "log.retention.bytes": "268435456", "log.segment.bytes": "16777216" },
      },
    });
  });

  test.each([
    [["--data-dir", ""], {}, /--data-dir/],
    [["--port", "x"], {}, /--port.*"x"/],
    [["--port", "70000"], {}, /--port/],
    [[], { KAFKA_PORT: "-1" }, /KAFKA_PORT.*"-1"/],
    [["--no-such"], {}, /--no-such/],
    [["--config", "novalue"], {}, /name=value/],
  ])("%j with %j is refused in words", (args, env, words) => {
    expect(() => parseCommand(args, env)).toThrow(UsageError);
    expect(() => parseCommand(args, env)).toThrow(words);
  });
});

test("--help tells how to use it", async () => {
  const { code, out } = await run(["--help"]);
  expect(code).toBe(0);
  expect(out).toContain("--port");
  expect(out).toContain("KAFKA_PORT");
});

test("a wrong argument or setting is told, with exit code 2", async () => {
  expect(await run(["--port", "x"])).toMatchObject({
    code: 2,
    out: "",
    err: expect.stringContaining("--port"),
  });
  const wrong = await run(["--port", "0", "--config", "num.partitions=none"]);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("num.partitions") });
  const many = await run(["--port", "0", "--brokers", "many"]);
  expect(many).toMatchObject({ code: 2, err: expect.stringContaining("brokers must be a whole number") });
});

test("a busy port is told with the variable that changes it, and exit code 2", async () => {
  const other = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(other, "listening");
  const address = other.address();
  if (address === null || typeof address === "string") expect.unreachable("no port");
  const { code, err } = await run([], { KAFKA_PORT: `${address.port}` });
  other.close();
  expect(code).toBe(2);
  expect(err).toContain(`port ${address.port}`);
  expect(err).toContain("KAFKA_PORT");
});

test("a folder that another broker has is refused in one line, with exit code 2; it says that it is for development", async () => {
  using folder = new TemporaryFolder();
  const { child, output, exited } = await listening(["--port", "0", "--data-dir", folder.path]);
  const second = await run(["--port", "0", "--data-dir", folder.path]);
  expect(second).toMatchObject({ code: 2, out: "" });
  expect(second.err).toMatch(
    new RegExp(`^Kafka broker: .* is in use by another broker \\(process ${child.pid}\\).*--data-dir\\.\n$`),
  );
  child.disconnect();
  await exited;
  expect(output.out).toContain(`in ${folder.path}, one copy: for development`);
});

describe("a folder that can't be had is refused in one line with the reason, and exit code 2:", () => {
  const refusal = async (folder: string) => {
    const { code, out, err } = await run(["--port", "0", "--data-dir", folder]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^Kafka broker: .+ See --data-dir\.\n$/);
    return err;
  };

  test("a file, and a folder in a file", async () => {
    using folder = new TemporaryFolder();
    const file = join(folder.path, "file");
    writeFileSync(file, "");
    expect(await refusal(file)).toContain(`${file} can't be used as a data folder: EEXIST`);
    expect(await refusal(join(file, "data"))).toContain("can't be used as a data folder: ");
  });

  // Even the superuser makes nothing in there.
  test.runIf(process.platform === "linux")(
    "where nothing can be made, and where nothing can be written",
    async () => {
      expect(await refusal("/proc/missing/data")).toContain("can't be used as a data folder: ENOENT");
      expect(await refusal("/proc")).toContain("/proc/lock can't be locked: ENOENT");
    },
  );
});

test("who started it is told why it ended", async () => {
  const child = fork(MAIN, ["--port", "x"], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const exited = once(child, "exit");
  expect(await once(child, "message")).toMatchObject([
    { kelvin: "failed", reason: expect.stringContaining('--port must be a port, 0 to 65535, not "x"') },
    undefined,
  ]);
  expect(await exited).toEqual([2, null]);
});

test.runIf(process.platform !== "win32").each(["SIGINT", "SIGTERM"] as const)(
  "says where it listens and that it is ready, and ends in order with %s",
  async (signal) => {
    const { child, output, exited, message } = await listening(["--port", "0"]);
    expect(message).toEqual({ kelvin: "ready" });
    const address = /listening on (localhost:\d+)\n/.exec(output.out)?.[1] ?? "";
    await using client = await RawClient.to(address);
    expect((await client.send(apiVersions, 0, {})).errorCode).toBe(0);
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
    expect(output.out.trim().split("\n")).toHaveLength(1);
  },
);

test.each([
  ["pretty", /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: topic deleted \{"topic":"gone","clientId":"tidy"\}\n$/],
  [
    "json",
    /^\{"level":"info","time":"[\d-]+T[\d:.]+Z","service":"broker","topic":"gone","clientId":"tidy","msg":"topic deleted"\}\n$/,
  ],
])("its log looks as that of the services beside it (%s)", async (format, expected) => {
  const { child, output, exited } = await listening(["--port", "0"], { LOG_FORMAT: format });
  const brokers = [/listening on (localhost:\d+)\n/.exec(output.out)?.[1] ?? ""];
  const admin = new Kafka({ brokers, clientId: "tidy", logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "gone" }] });
  await admin.deleteTopics({ topics: ["gone"] });
  await admin.disconnect();
  child.disconnect();
  await exited;
  expect(output.err).toMatch(expected);
});

test("ends when the process that started it is gone", async () => {
  const { child, exited } = await listening(["--port", "0"]);
  child.disconnect();
  expect(await exited).toEqual([0, null]);
});
