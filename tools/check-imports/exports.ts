import type { ParseResult } from "oxc-parser";
import type { Find, Found } from "./positions.ts";

/** Something that a file declares and exports. */
export interface Declaration extends Found {
  /** Whether a doc comment stands before it; before the value or the type is enough where both have one name. */
  readonly isDocumented: boolean;
}

/** Something that a file exports of another: at the place of the other's name in quotes. */
export interface ReExport extends Found {
  /** The other file, as it is written. */
  readonly from: string;
  /** What it is called there; undefined: all of it. */
  readonly name: string | undefined;
}

/** What a file exports of its own, by name. */
export function declarationsOf(
  { program, comments }: ParseResult,
  source: string,
  find: Find,
): Map<string, Declaration> {
  const docs = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*"));
  const isDocumented = (start: number): boolean =>
    docs.some(({ end }) => end <= start && source.slice(end, start).trim() === "");
  const declarations = new Map<string, Declaration>();
  for (const statement of program.body) {
    if (statement.type !== "ExportNamedDeclaration" || statement.declaration === null) continue;
    for (const { name, start } of namesOf(statement.declaration)) {
      const documented = isDocumented(statement.start) || declarations.get(name)?.isDocumented === true;
      declarations.set(name, { ...find(name, start), isDocumented: documented });
    }
  }
  return declarations;
}

/** What a file exports of others. */
export function reExportsOf({ module }: ParseResult, find: Find): ReExport[] {
  return module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, importName, exportName }) => {
      if (moduleRequest === null) return [];
      const found = find(exportName.name ?? "*", moduleRequest.start);
      return [{ ...found, from: moduleRequest.value, name: importName.name ?? undefined }];
    }),
  );
}

interface Named {
  readonly name: string;
  readonly start: number;
}

type Declared = NonNullable<
  Extract<ParseResult["program"]["body"][number], { type: "ExportNamedDeclaration" }>["declaration"]
>;

function namesOf(declared: Declared): Named[] {
  if (declared.type === "VariableDeclaration")
    return declared.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id] : []));
  return "id" in declared && declared.id?.type === "Identifier" ? [declared.id] : [];
}
