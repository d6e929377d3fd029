/** The broker as a program on a folder, to be killed as no program can prepare for. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  said = "";

  /** @param configs `name=value` */
  constructor(folder: string, configs: readonly string[]) {
    const args = ["--port", "0", "--data-dir", folder, ...configs.flatMap((one) => ["--config", one])];
    this.child = fork(MAIN, args, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.said += text;
      });
    }
  }

  async address(): Promise<string> {
    await once(this.child, "message");
    const found = () => /listening on (localhost:\d+)\n/.exec(this.said)?.[1];
    while (found() === undefined && this.child.stdout !== null) await once(this.child.stdout, "data");
    return found() ?? "";
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
