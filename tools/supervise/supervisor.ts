/** Several programs that belong together: started in order, stopped in order, and none without the others. */
import { ProgramEndedError } from "./errors.ts";
import { Program, type ProgramSpec } from "./program.ts";
import type { Terminal } from "./terminal.ts";

/** A little more than a service allows itself (STOP_DEADLINE_MS): its own report of a slow stop is better than ours. */
const STOP_DEADLINE_MS = 12_000;

export class Supervisor {
  /** Rejects with ProgramEndedError when a program ends that was not asked to. */
  readonly failed: Promise<never>;
  readonly #terminal: Terminal;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #programs: Program[] = [];
  #isStopping = false;
  #fail: (error: ProgramEndedError) => void = () => {};

  constructor(terminal: Terminal, environment: NodeJS.ProcessEnv) {
    this.#terminal = terminal;
    this.#environment = environment;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  /** Starts a program; resolves with its address when it is ready. */
  async start(spec: ProgramSpec): Promise<string> {
    const program = new Program(spec, this.#terminal.printer(spec.name), this.#environment);
    this.#programs.push(program);
    void program.ended.then(({ code, reason, problems }) => {
      if (this.#isStopping) return;
      if (code === 0) this.#terminal.say(`${spec.name} has ended: ${reason}.`);
      else this.#fail(new ProgramEndedError(spec.name, reason, code, problems));
    });
    return Promise.race([program.ready, this.failed]);
  }

  /** Stops the programs one after the other; false if one did not end well. */
  async stop(order: readonly string[]): Promise<boolean> {
    this.#isStopping = true;
    const rank = ({ spec }: Program) => order.indexOf(spec.name);
    let isWell = true;
    for (const program of this.#programs.toSorted((a, b) => rank(a) - rank(b))) {
      if (!program.isRunning) continue;
      const { code, reason, problems } = await program.stop(STOP_DEADLINE_MS);
      if (code === 0) continue;
      isWell = false;
      if (problems.length > 0) continue; // It never came up; what is wrong is said in the end, for all of them.
      this.#terminal.say(`${program.spec.name} did not shut down cleanly: ${reason}`);
    }
    return isWell;
  }

  /** Ends all at once. */
  kill(): void {
    this.#isStopping = true;
    for (const program of this.#programs) program.kill();
  }
}
