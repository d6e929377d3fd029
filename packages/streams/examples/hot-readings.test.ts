import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { app } from "./hot-readings.ts";
import { averages, hot, readings } from "./topics.ts";

test("the README's example is this one, and does what it says", async () => {
  const driver = app.testDriver();
  const atMs = 1_700_000_000_000;
  driver
    .pipe(readings, { device: "a", atMs, celsius: 20 })
    .pipe(readings, { device: "a", atMs: atMs + 500, celsius: 40 });
  expect(driver.read(hot)).toEqual([{ device: "a", atMs: atMs + 500, celsius: 40 }]);
  driver.advanceWallClock("20s");
  const told = driver.read(averages);
  expect(told[0]).toEqual({ device: "a", untilMs: atMs + 1_000, celsius: 30 });
  expect(told.at(-1)).toEqual({ device: "a", untilMs: atMs + 11_000, celsius: null });
  expect(told).toHaveLength(11);

  const shown = await readFile(new URL("../README.md", import.meta.url), "utf8");
  for (const file of ["hot-readings.ts", "topics.ts"])
    expect(shown).toContain(`\`\`\`ts\n${await readFile(new URL(file, import.meta.url), "utf8")}\`\`\``);
});
