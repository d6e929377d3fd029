import { type ParseResult, Visitor } from "oxc-parser";
import type { Find, Found } from "./positions.ts";

/** Where the type checker is told to look away: `as` (but not `as const`), `!`, `any`, `@ts-` comments. */
export function typeEscapesOf({ program, comments }: ParseResult, source: string, find: Find): Found[] {
  const escapes: Found[] = [];
  new Visitor({
    TSAsExpression({ typeAnnotation: { start, end } }) {
      if (source.slice(start, end) !== "const") escapes.push(find("as", start));
    },
    TSTypeAssertion({ start }) {
      escapes.push(find("as", start));
    },
    TSNonNullExpression({ end }) {
      escapes.push(find("!", end - 1));
    },
    TSAnyKeyword({ start }) {
      escapes.push(find("any", start));
    },
  }).visit(program);
  for (const { value, start } of comments) {
    const directive = /^[\s*/]*(@ts-(?:ignore|expect-error|nocheck))/.exec(value);
    if (directive?.[1] !== undefined) escapes.push(find(directive[1], start));
  }
  return escapes;
}
