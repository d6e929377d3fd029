import { expect, test } from "vitest";
import { Visitor } from "./visitor.ts";

test("a page that changes its device now and then is always heard", () => {
  const visitor = new Visitor(0, 0);
  for (let i = 1; i <= 1_000; i++) expect(visitor.says(true, i * 250)).toBe("take");
});

test("a flood of messages ends in a disconnect", () => {
  const visitor = new Visitor(0, 0);
  const verdicts = Array.from({ length: 30 }, () => visitor.says(true, 0));
  expect(verdicts.indexOf("leave")).toBe(20);
});

test("a few malformed messages are refused, more end in a disconnect", () => {
  const visitor = new Visitor(0, 0);
  const verdicts = Array.from({ length: 6 }, (_, i) => visitor.says(false, i * 1_000));
  expect(verdicts).toEqual(["refuse", "refuse", "refuse", "refuse", "refuse", "leave"]);
});
