/** What the pages on migration show does what they say, and stands here as it stands there. */
import { readFileSync } from "node:fs";
import { createStreamApp, type StreamApp } from "@kelvin/streams";
import { expect, test } from "vitest";
import * as pipelines from "./pipelines.ts";
import { backup, cold, hot, type Reading, readings, reports } from "./topics.ts";

const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const START_MS = 1_700_000_040_000;
const at = (offsetMs: number, celsius: number, device = "a", floor = "1"): Reading => ({
  device,
  floor,
  atMs: START_MS + offsetMs,
  celsius,
});

function driverOf(describe: (app: StreamApp) => void) {
  const app = createStreamApp({ name: "migration", kafka: { brokers: ["nobody:1"] }, log });
  describe(app);
  return app.testDriver();
}

const celsius = (list: readonly Reading[]) => list.map((reading) => reading.celsius);

test.each(["from-quixstreams.md", "from-kafka-streams.md"])(
  "every block of %s is a pipeline of this folder",
  (page) => {
    const text = readFileSync(new URL(`../${page}`, import.meta.url), "utf8");
    const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
    const source = readFileSync(new URL("pipelines.ts", import.meta.url), "utf8");
    expect(blocks.length).toBeGreaterThan(2);
    expect(blocks.filter((block) => !source.includes(block))).toEqual([]);
  },
);

test("apply, filter, toTopic", () => {
  const driver = driverOf(pipelines.filterAndWrite).pipe(readings, at(0, 30.2)).pipe(readings, at(1, 30.6));
  expect(celsius(driver.read(hot))).toEqual([31]);
});

test("flatMap", () => {
  const driver = driverOf(pipelines.expand).pipe(readings, at(0, 1));
  expect(driver.read(backup).map(({ device }) => device)).toEqual(["a", "a-copy"]);
});

test("state", () => {
  const driver = driverOf(pipelines.state)
    .pipe(readings, at(0, 5))
    .pipe(readings, at(1, 3))
    .pipe(readings, at(2, 3, "b"));
  expect(celsius(driver.crash().read(hot))).toEqual([5, 5, 3]);
});

test("groupBy and a window", () => {
  const driver = driverOf(pipelines.group)
    .pipe(readings, at(0, 10, "a", "1"))
    .pipe(readings, at(1, 20, "b", "1"));
  driver.pipe(readings, at(2, 1, "c", "2")).advanceWallClock("30s");
  expect(driver.read(reports)).toEqual([
    { name: "1", untilMs: START_MS + 10_000, value: 15 },
    { name: "2", untilMs: START_MS + 10_000, value: 1 },
  ]);
});

test("several aggregates in one pass", () => {
  const driver = driverOf(pipelines.several).pipe(readings, at(0, 10));
  expect(driver.read(reports)).toHaveLength(6);
  const { value } = driver.pipe(readings, at(1, 20)).read(reports)[0] ?? {};
  expect(value).toBeCloseTo(10, 0);
});

test("branch", () => {
  const driver = driverOf(pipelines.split);
  for (const each of [35, 10, -5]) driver.pipe(readings, at(0, each));
  expect([celsius(driver.read(hot)), celsius(driver.read(cold))]).toEqual([[35], [-5]]);
});

test("merge and a chosen topic", () => {
  const driver = driverOf(pipelines.join).pipe(readings, at(0, 35)).pipe(backup, at(1, 5));
  expect([celsius(driver.read(hot)), celsius(driver.read(cold))]).toEqual([[35], [5]]);
});

test("applyAsync", async () => {
  const driver = driverOf((app) => pipelines.ask(app, async (device) => `floor of ${device}`));
  await driver.pipe(readings, at(0, 1)).settled();
  expect(driver.read(backup)).toMatchObject([{ floor: "floor of a" }]);
});
