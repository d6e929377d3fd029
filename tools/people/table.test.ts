import { expect, test } from "vitest";
import { duration, table } from "./table.ts";

test("columns are as wide as their widest cell, numbers to the right", () => {
  expect(
    table(
      ["NAME", "N"],
      [
        ["a", 1],
        ["longer name", 1000],
      ],
    ),
  ).toBe("NAME            N\na               1\nlonger name  1000\n");
  expect(table(["NAME"], [])).toBe("NAME\n");
});

test.each([
  [604_800_000, "7 d"],
  [5_400_000, "90 min"],
  [3_600_000, "1 h"],
  [90_000, "90 s"],
  [1500, "1.5 s"],
  [999, "999 ms"],
  [0, "0 ms"],
])("%d ms is %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
