import { spawn } from "node:child_process";
import { KafkaToolError } from "./kafka-tool-error.ts";

const isWindows = process.platform === "win32";

/** How a command is called here: on Windows a script such as mvn.cmd only runs through the shell. */
const viaShell = (command: string): boolean => isWindows && !command.endsWith(".exe");

/**
 * Runs a command to its end and gives what it printed (both streams).
 *
 * @throws KafkaToolError with `ifMissing` when there is no such command, or with the last lines of
 *   its output when it ends with a code other than 0.
 */
export async function run(command: string, args: readonly string[], ifMissing: string): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], shell: viaShell(command) });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (cause) => reject(new KafkaToolError(ifMissing, { cause })));
    child.on("close", resolve);
  });
  if (code !== 0) {
    const tail = output.trim().split("\n").slice(-8).join("\n");
    throw new KafkaToolError(`"${[command, ...args].join(" ")}" ended with code ${code}:\n${tail}`);
  }
  return output;
}
