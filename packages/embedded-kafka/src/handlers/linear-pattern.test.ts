import fc from "fast-check";
import { expect, test } from "vitest";
import { linearPattern, PatternError } from "./linear-pattern.ts";

const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "[a-c]", "\\d", "\\.", "\\w", "^", "$", "", "-");
const repeat = fc.constantFrom("", "*", "+", "?", "{2}", "{1,}", "{0,2}", "*?");
const pattern = fc.letrec<{ node: string; group: string }>((tie) => ({
  group: tie("node").map((inner) => `(${inner})`),
  node: fc.oneof(
    { maxDepth: 4 },
    atom.filter((text) => text !== ""),
    fc.tuple(tie("group"), repeat).map(([group, times]) => `${group}${times}`),
    fc
      .tuple(
        atom.filter((text) => !"^$".includes(text)),
        repeat,
      )
      .map(([one, times]) => `${one}${times}`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `${a}|${b}`),
  ),
})).node;

/** null where JavaScript knows no such pattern. */
function byJavaScript(source: string): RegExp | null {
  try {
    return new RegExp(`^(?:${source})$`, "u");
  } catch {
    return null;
  }
}

test("finds what JavaScript's own search finds", () => {
  fc.assert(
    fc.property(
      pattern,
      fc.string({ unit: fc.constantFrom("a", "b", "c", "1", ".", "-"), maxLength: 6 }),
      (source, text) => {
        const expected = byJavaScript(source);
        fc.pre(expected !== null);
        expect(linearPattern(source)(text)).toBe(expected?.test(text));
      },
    ),
    { numRuns: 2000 },
  );
});

test.each([
  "(",
  ")",
  "a)",
  "[a",
  "*",
  "a**",
  "\\",
  "\\q",
  "a{2,1}",
  "a{1001}",
  "((a{1000}){1000}){1000}",
  "(?=a)",
  "(a)\\1",
  "[b-a]",
])("refuses %s", (source) => {
  expect(() => linearPattern(source)).toThrow(PatternError);
});

test("a trap for backtracking takes no longer than anything else", () => {
  const text = `${"a".repeat(20_000)}!`;
  expect(linearPattern("(a+)+")(text)).toBe(false);
  expect(linearPattern("(a|aa)*b?")(text)).toBe(false);
  expect(linearPattern("(?P<id>a+)+!")(text)).toBe(true);
});
