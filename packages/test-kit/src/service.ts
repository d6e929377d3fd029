import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { waitFor } from "./wait-for.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** What a process needs of the machine. A test gives the settings; none of the machine's own leaks in. */
const INHERITED =
  /^(path|home|userprofile|tmpdir|te?mp|systemroot|windir|comspec|pathext|(local)?appdata|lang|tz|ci|no_color)$/i;

/** What a service says to its parent when it is ready. */
const Ready = z.object({ kelvin: z.literal("ready"), url: z.string().optional() });

/** Which service, and its settings. */
export interface ServiceOptions {
  /** The service's entry, relative to the repository's root, such as `services/producer/src/main.ts`. */
  main: string;
  /** Its settings. PORT is 0 (a free one) and NODE_ENV is "test" unless given. */
  env?: Readonly<Record<string, string>>;
  args?: readonly string[];
  /** Node's own. */
  nodeOptions?: readonly string[];
}

/** How a process ended: by a code, or by a signal. */
export interface ServiceEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A service as a process of its own. Leaving its scope (`await using`) stops it. */
export interface RunningService extends AsyncDisposable {
  readonly pid: number;
  /** Everything it wrote to standard output and standard error so far. */
  log(): string;
  /** Resolves with its address when it says that it is ready. Rejects, with its log, if it ends or takes too long. */
  ready(timeoutMs?: number): Promise<string>;
  /** Resolves with the first line that matches. */
  lineMatching(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Asks it to stop (SIGTERM unless said otherwise) and resolves when it has. */
  stop(signal?: NodeJS.Signals): Promise<ServiceEnd>;
  /** kill -9: no chance to tidy up. */
  kill(): Promise<ServiceEnd>;
  /** Resolves when it ends, whoever ended it. */
  readonly ended: Promise<ServiceEnd>;
}

/** Starts a service as a process of its own, as `npm start` and a container do. */
export function startService({
  main,
  env = {},
  args = [],
  nodeOptions = [],
}: ServiceOptions): RunningService {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name)));
  const child = fork(main, args, {
    cwd: ROOT,
    env: { ...inherited, NODE_ENV: "test", PORT: "0", ...env },
    execArgv: [...nodeOptions],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let log = "";
  const collect = (text: string): void => {
    log += text;
  };
  child.stdout?.setEncoding("utf8").on("data", collect);
  child.stderr?.setEncoding("utf8").on("data", collect);

  let url: string | undefined;
  child.on("message", (message) => {
    const ready = Ready.safeParse(message);
    if (ready.success) url = ready.data.url ?? "";
  });
  const ended = endOf(child);
  let end: ServiceEnd | undefined;
  void ended.then((given) => {
    end = given;
  });

  const whileItRuns = <T>(what: string, condition: () => T, timeoutMs: number) =>
    Promise.race([
      waitFor(what, () => (end === undefined ? condition() : undefined), { timeoutMs }),
      ended.then(({ code, signal }): never => {
        throw new ServiceEndedError(
          `${main} ended (${signal ?? `code ${code}`}) while a test waited for ${what}`,
        );
      }),
    ]).catch((cause: unknown) => {
      throw new ServiceEndedError(`${String(cause)}\nLog of ${main}:\n${log}`, { cause });
    });
  const signal = async (name: NodeJS.Signals): Promise<ServiceEnd> => {
    if (end === undefined) child.kill(name);
    return ended;
  };

  return {
    pid: child.pid ?? 0,
    log: () => log,
    ready: (timeoutMs = 30_000) => whileItRuns("it to be ready", () => url, timeoutMs),
    lineMatching: (pattern, timeoutMs = 30_000) =>
      whileItRuns(
        `a line like ${pattern}`,
        () => log.split("\n").find((line) => pattern.test(line)),
        timeoutMs,
      ),
    stop: (name = "SIGTERM") => signal(name),
    kill: () => signal("SIGKILL"),
    ended,
    async [Symbol.asyncDispose]() {
      await signal("SIGKILL");
    },
  };
}

const endOf = (child: ChildProcess): Promise<ServiceEnd> =>
  new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null }));
  });

/** A service ended, or took too long, before what was waited for; its log is in the message. */
export class ServiceEndedError extends Error {
  override readonly name = "ServiceEndedError";
}
