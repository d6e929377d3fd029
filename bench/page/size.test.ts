import { expect, test } from "vitest";
import { missedGates } from "../goals.ts";
import { scriptSize } from "./size.ts";

test("the page's scripts are there, and small enough", () => {
  const size = scriptSize();
  expect(size.value).toBeGreaterThan(10);
  expect(missedGates([size])).toEqual([]);
});
