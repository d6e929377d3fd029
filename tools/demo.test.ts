/** `npm start`, as people and programs meet it: real processes on free ports. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { ToSupervisor } from "@kelvin/service-kit";
import { waitFor } from "@kelvin/test-kit";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildPageWhenNeeded } from "./page/build.ts";
import { isAlive, programsOf } from "./supervise/processes.test-support.ts";
import { root } from "./system/layout.ts";

const DEMO = fileURLToPath(new URL("demo.ts", import.meta.url));
const started: Demo[] = [];
beforeAll(() => buildPageWhenNeeded(root, () => {}), 120_000);
afterEach(async () => {
  for (const demo of started.splice(0)) await demo.end();
});

class Demo {
  readonly child: ChildProcess;
  readonly #messages: ToSupervisor[] = [];
  output = "";

  constructor(args: string[] = [], env: Record<string, string> = {}) {
    const { PATH, HOME } = process.env;
    this.child = fork(DEMO, args, {
      env: { PATH, HOME, NO_COLOR: "1", PORT: "0", KAFKA_PORT: "0", ...env },
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.child.on("message", (message) => this.#messages.push(ToSupervisor.parse(message)));
    started.push(this);
  }

  /** The page's address, when all is ready. */
  async ready(): Promise<string> {
    await waitFor("the demo to be ready", () => this.#messages.length > 0 || this.child.exitCode !== null, {
      timeoutMs: 25_000,
    });
    const [message] = this.#messages;
    if (message?.kelvin !== "ready") throw new TypeError(`not ready:\n${this.output}`);
    return message.url ?? "";
  }

  /** The exit code, when all output is there. */
  async ended(): Promise<unknown> {
    const [code] = this.child.exitCode === null ? await once(this.child, "close") : [this.child.exitCode];
    return code;
  }

  programs(): Map<string, number> {
    return programsOf(this.child);
  }

  lastLine(): string {
    return this.output.trimEnd().split("\n").at(-1) ?? "";
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const pids = [...this.programs().values()];
    this.child.kill("SIGKILL");
    await waitFor("its processes to end", () => pids.every((pid) => !isAlive(pid)), { timeoutMs: 20_000 });
  }
}

/** `ps` and signals are not Windows'; its smoke job starts and stops the demo. */
const isUnix = process.platform !== "win32";

describe.runIf(isUnix)("npm start", () => {
  test("brings up broker and services, and one Ctrl-C (told twice) ends them in order, with 0", async () => {
    const demo = new Demo(["--devices", "3"]);
    const url = await demo.ready();
    expect(demo.output).toContain(`Kelvin is running: ${url}`);
    const programs = demo.programs();
    expect([...programs.keys()].toSorted()).toEqual(["broker", "dashboard", "producer", "stream-processor"]);
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("Real-Time IoT Dashboard");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);

    // A terminal tells everybody, and npm tells its child once more.
    for (const pid of [demo.child.pid ?? 0, ...programs.values(), demo.child.pid ?? 0])
      process.kill(pid, "SIGINT");
    expect(await demo.ended()).toBe(0);
    const ends = [...demo.output.matchAll(/^(\S+) +│ .*INFO: stopped/gm)].map(([, name]) => name);
    expect(ends).toEqual(["producer", "stream-processor", "dashboard"]);
    expect(demo.output).not.toMatch(/unreachable|readings lost|did not shut down/);
    expect([...programs.values()].filter(isAlive)).toEqual([]);
    expect(demo.lastLine()).toBe("Stopped.");
  });

  test("ends with the service that dies, whose reason is the last thing said", async () => {
    const demo = new Demo();
    await demo.ready();
    const programs = demo.programs();
    process.kill(programs.get("stream-processor") ?? 0, "SIGKILL");
    expect(await demo.ended()).toBe(137);
    expect(demo.lastLine()).toBe("stream-processor ended: killed by SIGKILL");
    expect([...programs.values()].filter(isAlive)).toEqual([]);
  });

  test("tells why a service could not start, last, and with its code", async () => {
    const demo = new Demo([], { PIPELINES: "nonsense" });
    expect(await demo.ended()).toBe(2);
    expect(demo.lastLine()).toMatch(/^ {2}PIPELINES=nonsense: must list one or more of/);
    expect(demo.output).not.toContain("Kelvin is running");
  });

  test("leaves nothing behind when it is killed", async () => {
    const demo = new Demo();
    await demo.ready();
    const pids = [...demo.programs().values()];
    expect(pids).toHaveLength(4);
    demo.child.kill("SIGKILL");
    await waitFor("its processes to end", () => pids.every((pid) => !isAlive(pid)), { timeoutMs: 15_000 });
  });

  test("ends when the process that started it is gone", async () => {
    const demo = new Demo();
    await demo.ready();
    const pids = [...demo.programs().values()];
    demo.child.disconnect();
    await waitFor(
      "its processes to end",
      () => !isAlive(demo.child.pid ?? 0) && pids.every((pid) => !isAlive(pid)),
      {
        timeoutMs: 20_000,
      },
    );
  });
});

describe("npm start, told wrong", () => {
  test.each([
    ["PORT", "the dashboard"],
    ["KAFKA_PORT", "the embedded broker"],
  ])("with a busy %s names port and variable before anything starts, with 2", async (variable, user) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const demo = new Demo([], { [variable]: String(port) });
    expect(await demo.ended()).toBe(2);
    expect(demo.output).toContain(
      `Port ${port} (${user}) is in use by another program. Choose another: ${variable}=<port>.`,
    );
    expect(demo.output).not.toContain("│");
    other.close();
  });

  test.each([
    [["--nonsense"], "Unknown option '--nonsense'"],
    [["extra"], "Unexpected argument 'extra'"],
    [["--devices", "3", "--replay"], "can't be used together"],
    [["--speed", "10"], "--speed needs --replay"],
  ])("%j gives 2 and the help", async (args, problem) => {
    const demo = new Demo(args);
    expect(await demo.ended()).toBe(2);
    expect(demo.output).toContain(problem);
    expect(demo.output).toContain("--replay [file.csv]");
  });

  test.each([
    ["before anything starts", { KAFKA_BROKERS: "foo", PORT: "abc" }],
    ["of services", {}],
  ])("with wrong settings (%s) lists every one of all services, last, with 2", async (_, more) => {
    const wrong: Record<string, string> = { ...more, ALERT_ABOVE_KELVIN: "hot", INTERVAL_MS: "x" };
    const demo = new Demo([], wrong);
    expect(await demo.ended()).toBe(2);
    const count = Object.keys(wrong).length;
    const list = demo.output
      .slice(demo.output.lastIndexOf(`${count} settings are wrong:`))
      .trimEnd()
      .split("\n");
    expect(list).toHaveLength(1 + count);
    for (const [name, value] of Object.entries(wrong))
      expect(list.join("\n")).toContain(`  ${name}=${value}: `);
  });

  test("an option that no service takes is named as such before anything starts, with all else that is wrong", async () => {
    const demo = new Demo(["--devices", "0"], { IDLE_AFTER_SECONDS: "1e300" });
    expect(await demo.ended()).toBe(2);
    expect(demo.output.trimEnd().split("\n")).toEqual([
      "2 settings are wrong:",
      "  --devices 0: must be a whole number from 1 to 100000",
      "  IDLE_AFTER_SECONDS=1e300: must be a number from 0.1 to 3600",
    ]);
  });

  test("a --data-dir that can't be had is named with the reason, last, and nothing else is started", async () => {
    const demo = new Demo(["--data-dir", DEMO]);
    expect(await demo.ended()).toBe(2);
    expect(demo.lastLine()).toMatch(
      /^broker ended: .*demo\.ts can't be used as a data folder: EEXIST.*--data-dir\.$/,
    );
    expect(demo.output).not.toMatch(/^(producer|stream-processor|dashboard) /m);
  });

  test("--help gives the help, and 0", async () => {
    const demo = new Demo(["--help"]);
    expect(await demo.ended()).toBe(0);
    expect(demo.output).toContain("ALERT_ABOVE_KELVIN");
  });
});
