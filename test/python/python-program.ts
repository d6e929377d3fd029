/** A Python program of this folder, run by the Python that PYTHON names (python3 by default). */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { waitFor } from "@kelvin/test-kit";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const PYTHON = process.env["PYTHON"] ?? "python3";

/** What is missing for a Python with these modules; undefined: nothing. With CI=true nothing may be missing. */
export function missing(...modules: string[]): string | undefined {
  if (process.env["CI"] === "true") return undefined;
  try {
    const look =
      "import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])";
    const output = execFileSync(PYTHON, ["-c", look, ...modules], { encoding: "utf8" }).trim();
    return output === "" ? undefined : `${PYTHON} has no ${output}`;
  } catch {
    return `there is no ${PYTHON}`;
  }
}

export class PythonProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #output = "";

  /** @param args as after `python`: a file of this folder, or `-m` and a module. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    const { PATH = "", HOME = "" } = process.env;
    this.#child = spawn(PYTHON, args, {
      cwd: FOLDER,
      env: {
        PATH,
        HOME,
        PYTHONUNBUFFERED: "1",
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONWARNINGS: "ignore",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once("close", () => resolve());
      this.#child.once("error", () => resolve());
    });
  }

  /** Everything it said so far. */
  get output(): string {
    return this.#output;
  }

  get lines(): string[] {
    return this.#output.split("\n");
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Resolves with the first line that matches; quixstreams takes its time to create topics. */
  lineMatching(pattern: RegExp, timeoutMs = 60_000): Promise<string> {
    return waitFor(
      `a line like ${pattern} of ${this.#child.spawnargs.join(" ")}`,
      () => {
        const line = this.lines.find((candidate) => pattern.test(candidate));
        if (line === undefined && this.exitCode !== null) throw new PythonEndedError(this.#output);
        return line;
      },
      { timeoutMs },
    );
  }

  /** As Ctrl-C and `docker stop` do. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill(signal);
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}

class PythonEndedError extends Error {
  override readonly name = "PythonEndedError";

  constructor(output: string) {
    super(`The program has ended. It said:\n${output}`);
  }
}
