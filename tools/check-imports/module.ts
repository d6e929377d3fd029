import { parseSync } from "oxc-parser";
import { type Declaration, declarationsOf, type ReExport, reExportsOf } from "./exports.ts";
import { type Import, importsOf } from "./imports.ts";
import { machineUsesOf } from "./machine-uses.ts";
import { byPosition, type Found, finder } from "./positions.ts";
import { typeEscapesOf } from "./type-escapes.ts";

/** What the rules ask of one file. */
export interface Module {
  readonly imports: readonly Import[];
  /** What it declares and exports itself, by name. */
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** What it exports of other files. */
  readonly reExports: readonly ReExport[];
  /** Uses of the machine's globals, such as `process` or `Date.now`. */
  readonly machine: readonly Found[];
  /** Where the type checker is told to look away: `as`, `!`, `any`, `@ts-ignore`. */
  readonly escapes: readonly Found[];
  readonly lines: number;
}

export class SyntaxRefusedError extends Error {
  override readonly name = "SyntaxRefusedError";
}

/** Reads what a TypeScript file imports, exports and uses, types included. @throws SyntaxRefusedError */
export function readModule(path: string, source: string): Module {
  const parsed = parseSync(path, source, { preserveParens: false });
  const broken = parsed.errors[0];
  if (broken !== undefined) throw new SyntaxRefusedError(`${path}: ${broken.message}`);

  const find = finder(source);
  return {
    imports: importsOf(parsed, find),
    declarations: declarationsOf(parsed, source, find),
    reExports: reExportsOf(parsed, find),
    machine: byPosition(machineUsesOf(parsed.program, find)),
    escapes: byPosition(typeEscapesOf(parsed, source, find)),
    lines: source.split("\n").length,
  };
}
