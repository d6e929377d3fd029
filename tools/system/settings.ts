/** What is wrong with the settings, of all services at once: nobody wants to fix one only to hear of the next. */
import { CHECK_SETTINGS, SettingsError } from "@kelvin/service-kit";
import { ProgramEndedError, ToolError } from "../supervise/errors.ts";
import { Program } from "../supervise/program.ts";
import { SERVICES } from "./layout.ts";
import { inWordsOfOptions, type SystemOptions } from "./options.ts";

/**
 * Runs the system. If it ends because of a setting, each service is asked for whatever else is wrong.
 *
 * @param run gets a function to tell the services' environment with, as soon as it is known
 * @throws ToolError with code 2 and one line for each setting that is wrong
 */
export async function withEveryProblem(
  run: (tell: (environment: NodeJS.ProcessEnv) => void) => Promise<number>,
): Promise<number> {
  let environment = process.env;
  try {
    return await run((told) => {
      environment = told;
    });
  } catch (error) {
    const known = problemsOf(error);
    if (known.length === 0) throw error;
    const problems = oncePerSetting([...known, ...(await askServices(environment))]);
    throw new ToolError(new SettingsError(problems).message, { exitCode: 2, cause: error });
  }
}

/**
 * Asks the services about what the command line says, before anything is started. Where it says no
 * value, there is nothing to ask that the start would not tell as well, and asking takes half a second or more.
 *
 * @throws ToolError with code 2 that names the options, not the variables that they stand for
 */
export async function mustTakeOptions(options: SystemOptions): Promise<void> {
  if (!options.hasValues) return;
  const problems = await askServices({ ...process.env, ...options.environment });
  if (problems.length === 0) return;
  const told = oncePerSetting(problems).map((problem) => inWordsOfOptions(problem, options));
  throw new ToolError(new SettingsError(told).message, { exitCode: 2 });
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof ProgramEndedError) return error.problems;
  const cause = error instanceof ToolError ? error.cause : undefined;
  return cause instanceof SettingsError ? cause.problems : [];
}

async function askServices(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const asking = { ...environment, [CHECK_SETTINGS]: "1" };
  const endings = Object.entries(SERVICES).map(
    ([name, script]) => new Program({ name, script }, () => {}, asking).ended,
  );
  return (await Promise.all(endings)).flatMap(({ problems }) => problems);
}

/** Two services may read one variable, with limits of their own; the first that complains is enough. */
function oncePerSetting(problems: readonly string[]): string[] {
  const first = new Map<string, string>();
  for (const problem of problems) {
    const [, setting = problem] = /^([A-Z_]+)/.exec(problem) ?? [];
    if (!first.has(setting)) first.set(setting, problem);
  }
  return [...first.values()];
}
