/** The arguments of a command: exactly those it knows, or its help and code 2. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { ToolError } from "../supervise/errors.ts";

/**
 * @param names the positional arguments; an optional one ends with `?`
 * @throws ToolError with the help; with code 0 if it was requested
 */
export function readArguments<O extends NonNullable<ParseArgsConfig["options"]>>(
  help: string,
  names: readonly string[],
  options: O,
) {
  const config = {
    options: { ...options, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  } as const;
  const parsed = tryParse(help, () => parseArgs(config));
  if ("help" in parsed.values && parsed.values.help === true) throw new ToolError(help, { exitCode: 0 });
  const problem = wrongCount(names, parsed.positionals);
  if (problem !== undefined) throw new ToolError(`${problem}\n\n${help}`, { exitCode: 2 });
  return parsed;
}

function wrongCount(names: readonly string[], given: readonly string[]): string | undefined {
  const missing = names.slice(given.length).find((name) => !name.endsWith("?"));
  if (missing !== undefined) return `<${missing}> is missing.`;
  const surplus = given[names.length];
  if (surplus === undefined) return undefined;
  const wanted = names.map((name) => `<${name.replace("?", "")}>`).join(" and ");
  return `Unexpected argument "${surplus}": ${wanted === "" ? "only options are allowed" : `expected ${wanted}`}.`;
}

function tryParse<R>(help: string, parse: () => R): R {
  try {
    return parse();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ToolError(`${problem}\n\n${help}`, { exitCode: 2, cause: error });
  }
}
