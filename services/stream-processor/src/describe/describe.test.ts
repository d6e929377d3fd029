import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Settings } from "../config.ts";
import { describePipelines } from "./describe.ts";

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url)), ...args], {
    env: { ...process.env, KAFKA_BROKERS: "nowhere.invalid:1" },
  });

test("the text has a paragraph for each pipeline, from its source to its sink", () => {
  expect(describePipelines(Settings.parse({}), "text").split("\n")).toEqual([
    "kelvin-alert",
    "  from topic sensor",
    "    apply toTemperatures",
    "      filter temperatures.kelvin > aboveKelvin",
    expect.stringMatching(/^ {8}update log\.error\(.*too high!"\)$/),
    "          to topic alert",
    "",
    "kelvin-alert-count",
    "  from topic alert",
    "    last 5s every 1s: count = count",
    "      apply toAlertCount",
    "        to topic kpi",
    "",
    "kelvin-average-temperature",
    "  from topic sensor",
    "    last 10s every 1s: mean = mean",
    "      apply toAverageTemperature",
    "        to topic kpi",
  ]);
});

test("the diagram is one, and every topic is in it once", () => {
  const lines = describePipelines(Settings.parse({ KPI_TOPIC: "numbers" }), "mermaid").split("\n");
  expect(lines[0]).toBe("flowchart LR");
  const topics = lines.filter((line) => line.includes("[("));
  expect(topics.map((line) => /"(.*)"/.exec(line)?.[1])).toEqual(["sensor", "alert", "numbers"]);
  expect(lines.filter((line) => line.endsWith("--> topic_numbers"))).toHaveLength(2);
});

test("only the pipelines that are named are shown", () => {
  const text = describePipelines(Settings.parse({ PIPELINES: "alert-count", GROUP_PREFIX: "plant" }), "text");
  expect(text).toMatch(/^plant-alert-count\n/);
  expect(text).not.toContain("sensor");
});

test("the command needs no Kafka, and says how to use it when it is called wrongly", async () => {
  expect((await run()).stdout).toMatch(/^kelvin-alert\n/);
  expect((await run("--format", "mermaid")).stdout).toMatch(/^flowchart LR\n/);
  for (const wrong of [["--format", "svg"], ["--nonsense"], ["mermaid"]]) {
    await expect(run(...wrong)).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("npm run topology"),
    });
  }
});
