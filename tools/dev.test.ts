/** `npm run dev`: the parts live and die apart from each other. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ToSupervisor } from "@kelvin/service-kit";
import { waitFor } from "@kelvin/test-kit";
import { afterEach, describe, expect, test } from "vitest";
import { isAlive, programsOf } from "./supervise/processes.test-support.ts";
import { root } from "./system/layout.ts";

const DEV = fileURLToPath(new URL("dev.ts", import.meta.url));
let dev: ChildProcess | undefined;
afterEach(async () => {
  if (dev === undefined || dev.exitCode !== null) return;
  const pids = [...programsOf(dev).values()];
  dev.kill("SIGKILL");
  await waitFor("its programs to end", () => pids.every((pid) => !isAlive(pid)), { timeoutMs: 20_000 });
});

describe.runIf(process.platform !== "win32")("npm run dev", () => {
  test("restarts a killed part, and a changed one, while the others keep running; Ctrl-C ends all", async () => {
    const { PATH, HOME } = process.env;
    const child = fork(DEV, [], {
      env: { PATH, HOME, NO_COLOR: "1", PORT: "0", KAFKA_PORT: "0" },
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    dev = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    const [message] = await once(child, "message");
    expect(ToSupervisor.parse(message)).toMatchObject({
      kelvin: "ready",
      url: expect.stringMatching(/^http:/),
    });

    const before = programsOf(child);
    expect([...before.keys()].toSorted()).toEqual([
      "broker",
      "dashboard",
      "page",
      "producer",
      "stream-processor",
    ]);
    process.kill(before.get("producer") ?? 0, "SIGKILL");
    const again = await waitFor("another producer", () => {
      const now = programsOf(child);
      return now.has("producer") && now.get("producer") !== before.get("producer") ? now : undefined;
    });
    expect(output).toContain(
      "producer ended: killed by SIGKILL. The others keep running; it restarts in 0.5 s.",
    );
    for (const name of ["broker", "dashboard", "page", "stream-processor"]) {
      expect([name, again.get(name)]).toEqual([name, before.get(name)]);
    }

    const now = new Date();
    await utimes(join(root, "services", "producer", "src", "simulate.ts"), now, now);
    await waitFor("the producer with the change", () => {
      const pid = programsOf(child).get("producer");
      return pid !== undefined && pid !== again.get("producer");
    });
    expect(output).toContain("simulate.ts has changed: restarting producer.");

    const pids = [...programsOf(child).values()];
    for (const pid of [child.pid ?? 0, ...pids]) process.kill(pid, "SIGINT");
    const [code] = await once(child, "close");
    expect(code).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  }, 90_000);
});
