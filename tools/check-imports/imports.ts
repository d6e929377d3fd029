import { type ParseResult, Visitor } from "oxc-parser";
import type { Find, Found } from "./positions.ts";

export interface Import extends Found {
  /** True where nothing of it is left at run time. */
  readonly isType: boolean;
}

/** Every module that a file names, statically, by `import()`, or in a type. */
export function importsOf({ module, program }: ParseResult, find: Find): Import[] {
  const imports: Import[] = [];
  for (const { moduleRequest, entries } of module.staticImports) {
    const isType = entries.length > 0 && entries.every((entry) => entry.isType);
    imports.push({ ...find(moduleRequest.value, moduleRequest.start), isType });
  }
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest !== null) imports.push({ ...find(moduleRequest.value, moduleRequest.start), isType });
    }
  }
  new Visitor({
    ImportExpression({ source: from }) {
      const isLiteral = from.type === "Literal" && typeof from.value === "string";
      imports.push({ ...find(isLiteral ? String(from.value) : "(computed)", from.start), isType: false });
    },
    TSImportType({ source: from }) {
      imports.push({ ...find(from.value, from.start), isType: true });
    },
  }).visit(program);
  return imports;
}
