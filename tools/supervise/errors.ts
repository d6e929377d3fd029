/** What ends a tool, told to people without a stack. */

export class ToolError extends Error {
  override readonly name: string = "ToolError";
  /** 2: called in a wrong way, or the machine isn't as it must be; 1: it went wrong. */
  readonly exitCode: number;

  constructor(message: string, { exitCode = 1, cause }: { exitCode?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** A program that should keep running has ended. */
export class ProgramEndedError extends ToolError {
  override readonly name = "ProgramEndedError";

  /** Where its settings are the reason: each that is wrong. */
  readonly problems: readonly string[];

  constructor(program: string, reason: string, exitCode: number, problems: readonly string[] = []) {
    super(`${program} ended: ${reason}`, { exitCode });
    this.problems = problems;
  }
}

/** Runs a tool's main function: what people must know is told in one piece, and the exit code says how it went. */
export async function runTool(main: () => Promise<number | undefined>): Promise<never> {
  try {
    process.exit((await main()) ?? 0);
  } catch (error) {
    if (!(error instanceof Error) || !("exitCode" in error) || typeof error.exitCode !== "number")
      throw error;
    if (error.exitCode === 0) console.log(error.message);
    else console.error(error.message);
    process.exit(error.exitCode);
  }
}
