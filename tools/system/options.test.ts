import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ToolError } from "../supervise/errors.ts";
import { readOptions, type SystemOptions } from "./options.ts";

const USAGE = "npm start";

function read(args: string[], environment: Record<string, string> = {}): SystemOptions {
  return readOptions(USAGE, args, environment);
}

function problem(args: string[], environment: Record<string, string> = {}): string {
  try {
    read(args, environment);
  } catch (error) {
    if (error instanceof ToolError) return `${error.exitCode}: ${error.message}`;
    throw error;
  }
  return "none";
}

describe("options", () => {
  test("by default: a broker of our own on 9092, the page on 3000, nothing for the services", () => {
    expect(read([])).toEqual({
      isHelp: false,
      kafkaPort: 9092,
      brokers: ["localhost:9092"],
      port: 3000,
      host: undefined,
      environment: {},
      hasValues: false,
    });
  });

  test("only what people have said themselves is worth asking the services about", () => {
    expect(read(["--replay"]).hasValues).toBe(false);
    for (const args of [
      ["--devices", "3"],
      ["--replay", "my.csv"],
      ["--replay", "--speed", "2"],
    ])
      expect(read(args).hasValues).toBe(true);
  });

  test("--replay means the shipped series, and with it a limit that fits its warm machine", () => {
    expect(read(["--replay"]).environment).toEqual({ REPLAY: "shipped", ALERT_ABOVE_KELVIN: "312" });
    expect(read(["--replay"], { ALERT_ABOVE_KELVIN: "320" }).environment).toEqual({ REPLAY: "shipped" });
    expect(read(["--replay", "--speed", "60"]).environment).toMatchObject({
      REPLAY: "shipped",
      REPLAY_SPEED: "60",
    });
  });

  test("--replay takes a file, seen from the folder in which npm was called, and leaves the limit alone", () => {
    const { environment } = read(["--replay", "mine.csv", "--unit", "kelvin"], { INIT_CWD: "/somewhere" });
    expect(environment).toEqual({ REPLAY: resolve("/somewhere", "mine.csv"), REPLAY_UNIT: "kelvin" });
  });

  test("KAFKA_BROKERS takes the place of our own broker", () => {
    const { kafkaPort, brokers } = read([], { KAFKA_BROKERS: "a:1, b:2" });
    expect([kafkaPort, brokers]).toEqual([undefined, ["a:1", "b:2"]]);
    expect(read([], { KAFKA_BROKERS: " " }).kafkaPort).toBe(9092);
  });

  test("--data-dir is a folder of the embedded broker's, seen from where npm was called", () => {
    expect(read(["--data-dir", "data"], { INIT_CWD: "/somewhere" }).dataDir).toBe(
      resolve("/somewhere", "data"),
    );
    expect(problem(["--data-dir", "data"], { KAFKA_BROKERS: "a:1" })).toMatch(
      /^2: --data-dir .*KAFKA_BROKERS/,
    );
    expect(problem(["--data-dir="])).toMatch(/^2: --data-dir must/);
    expect(problem([], { npm_config_data_dir: "true" })).toMatch(/^2: .*npm start -- --data-dir/);
  });

  test("flags that npm consumed itself are reported", () => {
    expect(problem([], { npm_config_replay: "true" })).toMatch(/^2: .*npm start -- --replay/);
    expect(problem(["20"], { npm_config_devices: "true" })).toMatch(/^2: /);
  });

  test.each([
    [["--devices"], {}, "devices"],
    [["--help=yes"], {}, "help"],
    [[], { PORT: "65534" }, "PORT=65534: leaves no room for the two ports after it"],
    [[], { PORT: "x", KAFKA_PORT: "-1", KAFKA_BROKERS: "here" }, "3 settings are wrong"],
  ])("%j with %j is refused, with 2", (args, environment, text) => {
    expect(problem(args, environment)).toMatch(/^2: /);
    expect(problem(args, environment)).toContain(text);
  });
});
