/** The door of every command, run by the Node that runs the tests. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitFor } from "@kelvin/test-kit";
import { expect, test } from "vitest";

const BOOTSTRAP = fileURLToPath(new URL("bootstrap.mjs", import.meta.url));

function run(...args: string[]) {
  return spawnSync(process.execPath, [BOOTSTRAP, ...args], { encoding: "utf8", timeout: 30_000 });
}

test.each([["nonsense"], ["../tools/demo"], ["constructor"], [""]])(
  'a command "%s" that is none is refused with those there are, and 2',
  (name) => {
    const { status, stderr } = run(name);
    expect(status).toBe(2);
    expect(stderr).toContain(`There is no command "${name}". Commands: bench, broker, check`);
  },
);

test("arguments, output and exit code pass through, with or without npm's two dashes", () => {
  for (const dashes of [[], ["--"]]) {
    const { status, stdout } = run("start", ...dashes, "--help");
    expect([status, stdout.split("\n")[0]]).toEqual([0, expect.stringContaining("npm start [-- options]")]);
    expect(run("start", ...dashes, "--nonsense").status).toBe(2);
  }
});

test("NAME=value before all else sets a variable, in every shell alike", () => {
  const { status, stderr } = run("producer", "--", "SENSOR_TOPIC=a=b", "DEVICES=none", "KAFKA_SSL=maybe");
  expect(status).toBe(2);
  expect(stderr).toContain("DEVICES=none");
  expect(stderr).toContain("KAFKA_SSL=maybe");
  expect(run("topics", "KAFKA_BROKERS=nowhere", "--help").status).toBe(0);
});

test.runIf(process.platform !== "win32")("a signal for the bootstrap alone reaches the program", async () => {
  const child = spawn(process.execPath, [BOOTSTRAP, "broker"], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], KAFKA_PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Before it there may be a line about packages that are installed.
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await waitFor("the broker's line", () => output.includes("listening on"));
  child.kill("SIGTERM");
  expect((await once(child, "exit"))[0]).toBe(0);
});
