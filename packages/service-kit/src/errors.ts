/** Errors that keep a service from running. Each says what is wrong, where, and what to do. */

/** Something about the way the process was started is wrong; the process ends with code 2. */
export abstract class StartError extends Error {
  abstract readonly code: string;
  readonly exitCode = 2;
}

/** One or more settings don't hold; the message lists every one of them, a line each. */
export class SettingsError extends StartError {
  override readonly name = "SettingsError";
  readonly code = "SERVICE_SETTINGS";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? "a setting is" : `${problems.length} settings are`} wrong:\n  ${problems.join("\n  ")}`,
    );
    this.problems = problems;
  }
}

/** Something was given on the command line, where a service takes nothing. */
export class ArgumentsError extends StartError {
  override readonly name = "ArgumentsError";
  readonly code = "SERVICE_ARGUMENTS";

  constructor(given: readonly string[]) {
    super(
      `it takes no options, but got "${given.join(" ")}". Use environment variables: see Settings in README.md.`,
    );
  }
}

/** Another process listens where this one should. */
export class PortBusyError extends StartError {
  override readonly name = "PortBusyError";
  readonly code = "SERVICE_PORT_BUSY";
  readonly host: string;
  readonly port: number;

  /** @param variable the environment variable that chooses another port */
  constructor(host: string, port: number, variable: string, options?: ErrorOptions) {
    super(
      `port ${port} on ${host} is in use by another program. Stop that program, or choose another port with ${variable}=<port>.`,
      options,
    );
    this.host = host;
    this.port = port;
  }
}

/** The address can't be listened on: not one of this machine's, or not allowed. */
export class ListenError extends StartError {
  override readonly name = "ListenError";
  readonly code = "SERVICE_LISTEN";

  constructor(host: string, port: number, hint: string, options?: ErrorOptions) {
    super(`can't listen on ${host} port ${port}: ${hint}`, options);
  }
}

/** The service didn't stop within its deadline, so the process exited without waiting further. */
export class StopDeadlineError extends Error {
  override readonly name = "StopDeadlineError";
  readonly code = "SERVICE_STOP_DEADLINE";

  constructor(deadlineMs: number) {
    super(`the service did not stop within ${deadlineMs} ms. Set STOP_DEADLINE_MS to give it more time.`);
  }
}

/** Whether the error's message is all that a person needs, such as that of a wrong password: its stack is not logged. */
export function isExplained(thrown: unknown): thrown is Error & { readonly code?: unknown } {
  return thrown instanceof Error && "isExplained" in thrown && thrown.isExplained === true;
}

/** The text of whatever was thrown. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === "") {
    return thrown.errors.map(reasonOf).join("; ");
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
