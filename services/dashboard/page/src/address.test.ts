import fc from "fast-check";
import { expect, test } from "vitest";
import { type Choices, choicesFrom, queryOf, THEMES } from "./address.ts";
import { UNITS } from "./format.ts";

const device = fc.option(fc.string({ minLength: 1, maxLength: 64, unit: "grapheme-ascii" }), {
  nil: undefined,
});

test("what is written to the address is what is read from it", () => {
  const spanMs = fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined });
  const choices = fc.record({
    device,
    spanMs: spanMs.map((seconds) => (seconds === undefined ? undefined : 1_000 * seconds)),
    unit: fc.constantFrom(...UNITS),
    theme: fc.constantFrom(...THEMES),
  });
  fc.assert(
    fc.property(choices, (written) => {
      expect(choicesFrom(queryOf(written))).toEqual(written);
    }),
  );
});

test("the defaults leave the address clean", () => {
  const defaults: Choices = { device: undefined, spanMs: undefined, unit: "celsius", theme: "auto" };
  expect(queryOf(defaults)).toBe("");
  expect(choicesFrom("")).toEqual(defaults);
});

test("nonsense in the address counts as not said", () => {
  for (const span of ["", "0", "-1", "1.5", "x"])
    expect(choicesFrom(`?span=${span}`)).toEqual(choicesFrom(""));
  expect(choicesFrom(`?unit=rankine&theme=__proto__&device=${"x".repeat(65)}`)).toEqual(choicesFrom(""));
});
