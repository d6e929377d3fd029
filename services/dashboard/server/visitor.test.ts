import { expect, test } from "vitest";
import { Visitor } from "./visitor.ts";

test("a page that changes its device now and then is always heard", () => {
  const visitor = new Visitor(0);
  for (let i = 1; i <= 1_000; i++) expect(visitor.says(true, i * 250)).toBe("take");
});

test("a flood of messages ends in a disconnect", () => {
  const visitor = new Visitor(0);
  const verdicts = Array.from({ length: 30 }, () => visitor.says(true, 0));
  expect(verdicts.indexOf("leave")).toBe(20);
});

test("a few malformed messages are refused, more end in a disconnect", () => {
  const visitor = new Visitor(0);
  const verdicts = Array.from({ length: 6 }, (_, i) => visitor.says(false, i * 1_000));
  expect(verdicts).toEqual(["refuse", "refuse", "refuse", "refuse", "refuse", "leave"]);
});

test("one that takes nothing is paused after 2 s, and resumed when it takes again", () => {
  const visitor = new Visitor(0);
  expect(visitor.keepsUp(false, 0)).toBe("ok");
  expect(visitor.keepsUp(true, 1_000)).toBe("ok");
  expect(visitor.keepsUp(true, 2_000)).toBe("ok");
  expect(visitor.keepsUp(true, 3_000)).toBe("pause");
  expect(visitor.keepsUp(true, 4_000)).toBe("ok");
  expect(visitor.keepsUp(false, 5_000)).toBe("resume");
  expect(visitor.keepsUp(false, 6_000)).toBe("ok");
});

test("one that always has something waiting, but takes it, keeps up", () => {
  const visitor = new Visitor(0);
  for (let second = 0; second < 60; second++) {
    visitor.took();
    expect(visitor.keepsUp(true, second * 1_000)).toBe("ok");
  }
});
