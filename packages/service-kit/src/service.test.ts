/** The life of a process, seen from outside. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { ToSupervisor } from "./parent.ts";

const SERVICE = fileURLToPath(new URL("testing/service.ts", import.meta.url));
const running = new Set<Started>();
afterEach(() => {
  for (const service of running) service.child.kill("SIGKILL");
  running.clear();
});

class Started {
  readonly child: ChildProcess;
  output = "";
  readonly messages: ToSupervisor[] = [];
  readonly ended: Promise<number | null>;

  constructor(env: Record<string, string>, args: readonly string[] = []) {
    this.child = fork(SERVICE, args, {
      env: { PATH: process.env["PATH"], PORT: "0", ...env },
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.child.on("message", (message) => this.messages.push(ToSupervisor.parse(message)));
    this.ended = once(this.child, "close").then(([code]) => z.number().nullable().parse(code));
    running.add(this);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.child.exitCode !== null) throw new TypeError(`it ended before:\n${this.output}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async ready(): Promise<string> {
    await this.until(() => this.messages.some(({ kelvin }) => kelvin === "ready"));
    const [message] = this.messages;
    return message?.kelvin === "ready" ? (message.url ?? "") : "";
  }

  says(text: string): Promise<void> {
    return this.until(() => this.output.includes(text));
  }
}

describe("a stop", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("by %s is orderly and ends with 0", async (signal) => {
    const service = new Started({});
    await service.ready();
    service.child.kill(signal);
    expect(await service.ended).toBe(0);
    expect(service.output).toContain("stop is through");
  });

  test("is asked for by the supervisor's message", async () => {
    const service = new Started({});
    await service.ready();
    service.child.send({ kelvin: "stop" });
    expect(await service.ended).toBe(0);
    expect(service.output).toContain("stop is through");
  });

  test("follows the end of the process that started it", async () => {
    const service = new Started({});
    await service.ready();
    service.child.disconnect();
    // Node tells no "close" of a child whose channel we closed ourselves.
    const exit = once(service.child, "exit");
    await service.says("the parent process ended");
    expect(await exit).toEqual([0, null]);
  });

  test("is one, when npm passes on a Ctrl-C that the terminal has given already", async () => {
    const service = new Started({ STOP_TAKES_MS: "300" });
    await service.ready();
    service.child.kill("SIGINT");
    await service.says("stop was called");
    service.child.kill("SIGINT");
    expect(await service.ended).toBe(0);
    expect(service.output).toContain("stop is through");
  });

  test("is cut short by a second Ctrl-C later than that", async () => {
    const service = new Started({ STOP_TAKES_MS: "60000" });
    await service.ready();
    service.child.kill("SIGINT");
    await service.says("stop was called");
    const again = setInterval(() => service.child.kill("SIGINT"), 50);
    expect(await service.ended).toBe(1);
    clearInterval(again);
    expect(service.output).not.toContain("stop is through");
  });

  test("that takes longer than its deadline is left, with 1", async () => {
    const service = new Started({ STOP_TAKES_MS: "60000", STOP_DEADLINE_MS: "100" });
    await service.ready();
    service.child.kill("SIGTERM");
    expect(await service.ended).toBe(1);
    expect(service.output).toContain("did not stop within 100 ms. Set STOP_DEADLINE_MS");
  });

  test("leaves Ctrl-C to the supervisor, where there is one", async () => {
    const service = new Started({ KELVIN_SUPERVISED: "1" });
    await service.ready();
    service.child.kill("SIGINT");
    service.child.kill("SIGINT");
    service.child.send({ kelvin: "stop" });
    expect(await service.ended).toBe(0);
    expect(service.output).toContain("the supervisor's request");
    expect(service.output).not.toContain("SIGINT");
  });
});

describe("an end that nobody asked for", () => {
  test("by a failure is told to log and supervisor, stops in order, and gives 1", async () => {
    const service = new Started({ FAILS_WITH: "the pipeline can't continue" });
    await service.ready();
    service.child.kill("SIGUSR2");
    expect(await service.ended).toBe(1);
    expect(service.messages.at(-1)).toEqual({ kelvin: "failed", reason: "the pipeline can't continue" });
    expect(service.output).toContain("failed: the pipeline can't continue");
    expect(service.output).toContain("stop is through");
  });

  test("by an exception that nobody caught is a failure like any other", async () => {
    const service = new Started({ THROWS_WITH: "a defect" });
    expect(await service.ended).toBe(1);
    expect(service.messages.at(-1)).toEqual({ kelvin: "failed", reason: "a defect" });
  });

  test("while starting gives 1 and the reason", async () => {
    const service = new Started({ START_FAILS_WITH: "no luck" });
    expect(await service.ended).toBe(1);
    expect(service.messages).toEqual([{ kelvin: "failed", reason: "no luck" }]);
  });

  test("because the work is done gives 0", async () => {
    const service = new Started({ FINISHES: "yes" });
    expect(await service.ended).toBe(0);
    expect(service.output).toContain("stop is through");
  });
});

describe("a start in a wrong way", () => {
  test.each([["--help"], ["--devices", "20"]])(
    "with options (%s) says that there are none, and gives 2",
    async (...args) => {
      const service = new Started({}, args);
      expect(await service.ended).toBe(2);
      expect(service.output).toContain(`obedient: it takes no options, but got "${args.join(" ")}".`);
      expect(service.output).not.toContain("stop was called");
    },
  );

  test("tells every bad setting and gives 2", async () => {
    const service = new Started({ PORT: "http", STOP_TAKES_MS: "-1", KAFKA_BROKERS: "here" });
    expect(await service.ended).toBe(2);
    expect(service.output).toContain("obedient: 3 settings are wrong:");
    for (const name of ["PORT=http", "STOP_TAKES_MS=-1", "KAFKA_BROKERS=here"])
      expect(service.output).toContain(name);
    expect(service.messages).toEqual([
      expect.objectContaining({ kelvin: "failed", problems: expect.arrayContaining([expect.any(String)]) }),
    ]);
  });

  test("is found out without a start, where the supervisor only asks for it", async () => {
    const wrong = new Started({ STOP_TAKES_MS: "-1", KELVIN_CHECK_SETTINGS: "1" });
    expect(await wrong.ended).toBe(2);
    const right = new Started({ KELVIN_CHECK_SETTINGS: "1" });
    expect(await right.ended).toBe(0);
    expect(right.messages).toEqual([]);
    expect(right.output).toBe("");
  });

  test.each(["127.0.0.1", "::1"])(
    "on a port that is busy on %s names it and its variable, and gives 2",
    async (host) => {
      const other = createServer().listen(0, host);
      await once(other, "listening");
      const address = other.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const service = new Started({ PORT: String(port) });
      expect(await service.ended).toBe(2);
      expect(service.output).toMatch(new RegExp(`port ${port} on \\S+ is in use .* PORT=<port>`));
      expect(service.output).not.toContain("stop was called");
      other.close();
    },
  );
});

describe("the questions that every service answers", () => {
  test("are answered on both loopbacks", async () => {
    const service = new Started({});
    const { port } = new URL(await service.ready());
    for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
      const health = await fetch(`http://${host}:${port}/healthz`);
      expect([health.status, await health.json()]).toEqual([
        200,
        { service: "obedient", ok: true, why: "running" },
      ]);
    }
  });

  test("tell ready from alive", async () => {
    const port = await freePort();
    const service = new Started({ READY_AFTER_MS: "60000", PORT: port });
    const url = `http://127.0.0.1:${port}`;
    let alive: Response | undefined;
    while (alive === undefined) alive = await fetch(`${url}/healthz`).catch(() => undefined);
    expect(alive.status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { service: "obedient", ok: false, why: "not yet" },
    ]);
    expect(service.messages).toEqual([]);
  });

  test("hold numbers as Prometheus reads them, and nothing else is there", async () => {
    const service = new Started({});
    const url = await service.ready();
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await metrics.text();
    expect(text).toContain('kelvin_starts_total{why="test",service="obedient"} 1');
    expect(text).toMatch(/^process_cpu_user_seconds_total\{service="obedient"\}/m);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(405);
  });
});

/** A port that was free a moment ago. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = String(typeof address === "object" && address !== null ? address.port : 0);
  server.close();
  await once(server, "close");
  return port;
}
