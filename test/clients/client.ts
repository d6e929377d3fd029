/** What is asked of a client under test, and the process that does it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as z from "zod";

/** The driver answered that the client failed, or has ended. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code = "TEST_CLIENT_FAILED";
}

/** One process of one client: it does what it is told, and can be killed. */
export interface Client extends AsyncDisposable {
  /** One command of drivers/README.md; its result. */
  call(command: string, request?: object): Promise<unknown>;
  /** Ends the process as a crash does: the broker is not told. */
  kill(): Promise<void>;
}

const Answer = z.object({ id: z.number(), result: z.unknown().optional(), error: z.string().optional() });

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A driver in another process, talked to by lines of JSON. */
export class DriverProcess implements Client {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #said = "";

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
    this.#child = spawn(command, args, {
      env: { PATH, HOME, TMPDIR, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on("error", () => {}); // its end is told by "close"
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-4000);
    });
    if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => this.#answered(line));
    this.#ended = new Promise((resolve) => {
      const over = (error?: Error) => {
        for (const { reject } of this.#waiting.values()) {
          reject(
            new ClientError(
              `${command} has ended${error === undefined ? "" : `: ${error.message}`}\n${this.#said}`,
            ),
          );
        }
        this.#waiting.clear();
        resolve();
      };
      this.#child.once("error", over);
      this.#child.once("close", () => over());
    });
  }

  #answered(line: string): void {
    const { id, result, error } = Answer.parse(JSON.parse(line));
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new ClientError(`${error}\n${this.#said}`));
  }

  call(command: string, request: object = {}): Promise<unknown> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(new ClientError(`the driver has ended\n${this.#said}`));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ id, do: command, ...request })}\n`);
    });
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

// ------------------------------------------------------------------ results

export const ReadRecords = z.array(
  z.object({
    partition: z.number(),
    offset: z.number(),
    key: z.string().nullable(),
    value: z.string().nullable(),
    headers: z.record(z.string(), z.string()),
    timestamp: z.number(),
  }),
);
export type ReadRecord = z.infer<typeof ReadRecords>[number];

export const Seen = z.object({ values: z.array(z.string()), assigned: z.array(z.number()) });
export const About = z.object({ version: z.string() });
export const Configs = z.record(z.string(), z.string().nullable());
