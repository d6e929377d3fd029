/** The words after a command: exactly the ones it knows, or its help and code 2. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { ToolError } from "../supervise/errors.ts";

/**
 * @param names what the words without dashes are, for counting them
 * @throws ToolError with the help; with code 0 where it was asked for
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
  if (parsed.positionals.length !== names.length) {
    const wanted = names.length === 0 ? "no names" : names.map((name) => `<${name}>`).join(" ");
    throw new ToolError(`Wanted ${wanted}, got "${parsed.positionals.join(" ")}".\n\n${help}`, {
      exitCode: 2,
    });
  }
  return parsed;
}

function tryParse<R>(help: string, parse: () => R): R {
  try {
    return parse();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ToolError(`${problem}\n\n${help}`, { exitCode: 2, cause: error });
  }
}
