import { parseSync, Visitor } from "oxc-parser";
import { MACHINE_GLOBALS, MACHINE_MEMBERS } from "./rules.ts";

/** Something in a file, with the line and column (from 1) where it starts. */
export interface Found {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export interface Import extends Found {
  /** True where nothing of it is left at run time. */
  readonly isType: boolean;
}

/** What the rules ask of one file. */
export interface Module {
  readonly imports: readonly Import[];
  /** Uses of the machine's globals, such as `process` or `Date.now`. */
  readonly machine: readonly Found[];
  /** Where the type checker is told to look away: `as`, `!`, `any`, `@ts-ignore`. */
  readonly escapes: readonly Found[];
  readonly lines: number;
}

export class SyntaxRefusedError extends Error {
  override readonly name = "SyntaxRefusedError";
}

/** Reads what a TypeScript file imports and uses, types included. @throws SyntaxRefusedError */
export function readModule(path: string, source: string): Module {
  const parsed = parseSync(path, source, { preserveParens: false });
  const broken = parsed.errors[0];
  if (broken !== undefined) throw new SyntaxRefusedError(`${path}: ${broken.message}`);

  const positionOf = positions(source);
  const found = (text: string, offset: number): Found => ({ text, ...positionOf(offset) });
  const imports: Import[] = [];
  const machine: Found[] = [];
  const escapes: Found[] = [];

  for (const { moduleRequest, entries } of parsed.module.staticImports) {
    const isType = entries.length > 0 && entries.every((entry) => entry.isType);
    imports.push({ ...found(moduleRequest.value, moduleRequest.start), isType });
  }
  for (const { entries } of parsed.module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest !== null)
        imports.push({ ...found(moduleRequest.value, moduleRequest.start), isType });
    }
  }

  /** Identifiers that name a property and not a variable, or were found already: by where they start. */
  const passed = new Set<number>();
  const namesAProperty = (node: { computed?: boolean; key: { start: number } }): void => {
    if (node.computed !== true) passed.add(node.key.start);
  };
  new Visitor({
    ImportExpression(node) {
      const { source: from } = node;
      const isLiteral = from.type === "Literal" && typeof from.value === "string";
      imports.push({ ...found(isLiteral ? String(from.value) : "(computed)", from.start), isType: false });
    },
    TSImportType(node) {
      imports.push({ ...found(node.source.value, node.source.start), isType: true });
    },
    ImportSpecifier(node) {
      passed.add(node.imported.start).add(node.local.start);
    },
    ExportSpecifier(node) {
      passed.add(node.exported.start);
    },
    Property(node) {
      if (!node.shorthand) namesAProperty(node);
    },
    MethodDefinition: namesAProperty,
    PropertyDefinition: namesAProperty,
    AccessorProperty: namesAProperty,
    TSPropertySignature: namesAProperty,
    TSMethodSignature: namesAProperty,
    TSAbstractMethodDefinition: namesAProperty,
    TSAbstractPropertyDefinition: namesAProperty,
    MemberExpression(node) {
      if (node.computed || node.property.type === "PrivateIdentifier") return;
      passed.add(node.property.start);
      if (node.object.type !== "Identifier") return;
      const [object, property] = [node.object.name, node.property.name];
      if (MACHINE_MEMBERS.has(`${object}.${property}`))
        machine.push(found(`${object}.${property}`, node.start));
      const isGlobal =
        ["globalThis", "window", "self", "global"].includes(object) && MACHINE_GLOBALS.has(property);
      if (isGlobal) machine.push(found(property, node.property.start));
    },
    NewExpression(node) {
      const isNow =
        node.callee.type === "Identifier" && node.callee.name === "Date" && node.arguments.length === 0;
      if (isNow) machine.push(found("new Date()", node.start));
    },
    "Program:exit"(program) {
      new Visitor({
        Identifier({ name, start }) {
          if (!MACHINE_GLOBALS.has(name) || passed.has(start)) return;
          machine.push(found(name, start));
          passed.add(start); // `{ process }` is two identifiers at one place
        },
      }).visit(program);
    },
    TSAsExpression(node) {
      if (source.slice(node.typeAnnotation.start, node.typeAnnotation.end) !== "const") {
        escapes.push(found("as", node.typeAnnotation.start));
      }
    },
    TSTypeAssertion(node) {
      escapes.push(found("as", node.start));
    },
    TSNonNullExpression(node) {
      escapes.push(found("!", node.end - 1));
    },
    TSAnyKeyword(node) {
      escapes.push(found("any", node.start));
    },
  }).visit(parsed.program);
  for (const { value, start } of parsed.comments) {
    const directive = /^[\s*/]*(@ts-(?:ignore|expect-error|nocheck))/.exec(value);
    if (directive?.[1] !== undefined) escapes.push(found(directive[1], start));
  }

  return {
    imports,
    machine: byPosition(machine),
    escapes: byPosition(escapes),
    lines: source.split("\n").length,
  };
}

const byPosition = (all: Found[]): Found[] => all.sort((a, b) => a.line - b.line || a.column - b.column);

/** From an offset in the text to line and column, both from 1. */
function positions(source: string): (offset: number) => { line: number; column: number } {
  const starts = [0, ...Array.from(source.matchAll(/\n/g), (match) => match.index + 1)];
  return (offset) => {
    const line = starts.findLastIndex((start) => start <= offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
}
