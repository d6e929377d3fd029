/** Processes with a pipeline, to be killed, stopped in mid-work and started again. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Guarantee } from "../src/index.ts";

export interface PipelineProcess {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly kind: "copy" | "counted" | "trailing" | "session";
  readonly guarantee: Guarantee;
}

export class Processes implements Disposable {
  readonly #brokers: readonly string[];
  readonly #started: ChildProcess[] = [];

  constructor(brokers: readonly string[]) {
    this.#brokers = brokers;
  }

  /** Does not wait until it is ready. */
  launch({ name, from, to, kind, guarantee }: PipelineProcess): ChildProcess {
    const script = fileURLToPath(new URL("./windowed-app.ts", import.meta.url));
    const child = fork(script, [this.#brokers.join(","), name, from, to, kind, guarantee], { execArgv: [] });
    this.#started.push(child);
    return child;
  }

  async start(pipeline: PipelineProcess): Promise<ChildProcess> {
    const child = this.launch(pipeline);
    await once(child, "message");
    return child;
  }

  [Symbol.dispose](): void {
    for (const child of this.#started) child.kill("SIGKILL");
  }
}

export async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
