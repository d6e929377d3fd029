/** One program of several, run as a child process: its lines, its readiness, its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { SUPERVISED, ToSupervisor } from "@kelvin/service-kit";

export interface ProgramSpec {
  name: string;
  /** The file that Node runs. */
  script: string;
  args?: readonly string[];
  /** Node's own, before the script. */
  nodeOptions?: readonly string[];
  /** Added to our own environment. */
  environment?: Readonly<Record<string, string>>;
}

/** How a program ended. */
export interface Ending {
  /** 128 and the signal's number where a signal ended it, as shells do. */
  code: number;
  /** In its own words where it had some. */
  reason: string;
  /** Where its settings are the reason: each that is wrong. */
  problems: readonly string[];
}

/** The last lines of the error output stand for a reason where none was told: a stack, mostly. */
const LAST_WORDS = 20;

/** How long the last lines of a program that has ended may take. */
const OUTPUT_MS = 1000;

export class Program {
  readonly spec: ProgramSpec;
  /** The program's address, when it says that it is ready; never, if it ends before. */
  readonly ready: Promise<string>;
  /** When it has ended and its last line is printed. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #isRunning = true;
  #reason: string | undefined;
  #problems: readonly string[] = [];
  #lastWords: string[] = [];

  constructor(spec: ProgramSpec, print: (line: string) => void, environment: NodeJS.ProcessEnv) {
    this.spec = spec;
    const command = [...process.execArgv, ...(spec.nodeOptions ?? []), spec.script, ...(spec.args ?? [])];
    this.#child = spawn(process.execPath, command, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...environment, ...spec.environment, [SUPERVISED]: "1" },
      windowsHide: true,
    });
    readLines(this.#child.stdout, print);
    readLines(this.#child.stderr, (line) => {
      this.#lastWords = [...this.#lastWords, line].slice(-LAST_WORDS);
      print(line);
    });
    this.ready = new Promise((resolve) => {
      this.#child.on("message", (message) => {
        const told = ToSupervisor.safeParse(message).data;
        if (told?.kelvin === "ready") resolve(told.url);
        if (told?.kelvin === "failed") {
          this.#reason = told.reason;
          this.#problems = told.problems ?? [];
        }
      });
    });
    this.ended = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        this.#isRunning = false;
        resolve({ code: 1, reason: error.message, problems: [] });
      });
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#isRunning = false;
        resolve(this.#ending(code, signal));
      };
      this.#child.on("close", end);
      // A grandchild that still holds the output open keeps nobody waiting.
      this.#child.on("exit", (code, signal) => setTimeout(end, OUTPUT_MS, code, signal).unref());
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Asks it to shut down; after the deadline it is killed. */
  async stop(deadlineMs: number): Promise<Ending> {
    if (this.#child.connected) this.#child.send({ kelvin: "stop" }, () => {});
    else if (this.#isRunning) this.#child.kill("SIGTERM");
    const timer = setTimeout(() => {
      this.#reason = `it did not stop within ${deadlineMs / 1000} s`;
      this.kill();
    }, deadlineMs);
    const ending = await this.ended;
    clearTimeout(timer);
    return ending;
  }

  /** Ends it at once. */
  kill(): void {
    if (this.#isRunning) this.#child.kill("SIGKILL");
  }

  #ending(code: number | null, signal: NodeJS.Signals | null): Ending {
    if (signal !== null) {
      const reason = this.#reason ?? `killed by ${signal}`;
      return { code: 128 + (constants.signals[signal] ?? 0), reason, problems: [] };
    }
    const words = this.#lastWords.join("\n");
    const fallback =
      words === "" ? `exit code ${code}` : `exit code ${code}, and its last output was\n${words}`;
    const reason = this.#reason ?? (code === 0 ? "its work is done" : fallback);
    return { code: code ?? 1, reason, problems: this.#problems };
  }
}

function readLines(stream: Readable | null, print: (line: string) => void): void {
  if (stream !== null)
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", print);
}
