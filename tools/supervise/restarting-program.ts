/** A program in development: restarted when its sources change, and when it crashes. */
import { type FSWatcher, watch } from "node:fs";
import { Program, type ProgramSpec } from "./program.ts";
import type { Terminal } from "./terminal.ts";

const STOP_DEADLINE_MS = 12_000;
/** An editor writes a file in several steps. */
const SETTLE_MS = 150;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 10_000;
/** Who has run so long is well, and is started again without delay the next time. */
const WELL_AFTER_MS = 20_000;
/** It was started with wrong options; a restart changes nothing, only its sources might. */
const WRONG_USE = 2;

export class RestartingProgram {
  /** Its address, when it is ready for the first time. */
  readonly ready: Promise<string>;
  readonly #spec: ProgramSpec;
  #tellReady: (url: string) => void = () => {};
  readonly #terminal: Terminal;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #watchers: FSWatcher[];
  #program: Program | undefined;
  #isStopping = false;
  #isChanged = false;
  #settling: NodeJS.Timeout | undefined;
  #wake: () => void = () => {};

  /** @param folders whose changes restart the program */
  constructor(
    spec: ProgramSpec,
    folders: readonly string[],
    { terminal, environment }: { terminal: Terminal; environment: NodeJS.ProcessEnv },
  ) {
    this.#spec = spec;
    this.#terminal = terminal;
    this.#environment = environment;
    this.ready = new Promise((resolve) => {
      this.#tellReady = resolve;
    });
    this.#watchers = folders.map((folder) =>
      watch(folder, { recursive: true }, (_, file) => {
        if (file !== null && isSource(file)) this.#changed(file);
      }),
    );
  }

  /** Runs the program again and again; resolves after `stop`. */
  async run(): Promise<void> {
    let backoffMs = BACKOFF_MS_MIN;
    while (!this.#isStopping) {
      const startedAt = performance.now();
      const program = new Program(this.#spec, this.#terminal.printer(this.#spec.name), this.#environment);
      this.#program = program;
      void program.ready.then(this.#tellReady);
      const { code, reason } = await program.ended;
      if (this.#isStopping) return;
      if (this.#isChanged) {
        this.#isChanged = false;
        backoffMs = BACKOFF_MS_MIN;
        continue;
      }
      if (performance.now() - startedAt > WELL_AFTER_MS) backoffMs = BACKOFF_MS_MIN;
      const isFinal = code === WRONG_USE || code === 0;
      const next = isFinal ? "when its sources change" : `in ${backoffMs / 1000} s`;
      this.#terminal.announce(
        `${this.#spec.name} ended: ${reason}. The others keep running; it restarts ${next}.`,
      );
      await this.#wait(isFinal ? undefined : backoffMs);
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2);
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
    this.#wake();
    if (this.#program?.isRunning) await this.#program.stop(STOP_DEADLINE_MS);
  }

  kill(): void {
    this.#isStopping = true;
    this.#program?.kill();
  }

  #changed(file: string): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      if (this.#isStopping) return;
      this.#terminal.say(`${file} has changed: restarting ${this.#spec.name}.`);
      this.#wake();
      if (this.#program?.isRunning !== true) return;
      this.#isChanged = true;
      void this.#program.stop(STOP_DEADLINE_MS);
    }, SETTLE_MS);
  }

  #wait(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isSource(file: string): boolean {
  return (
    /\.(ts|json)$/.test(file) && !/\.test\.ts$/.test(file) && !/(^|[\\/])(node_modules|dist)[\\/]/.test(file)
  );
}
