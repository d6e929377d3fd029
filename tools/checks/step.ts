/** One step of a check: quiet when all is well, and with everything it said when not. */
import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Outcome {
  passed: number;
  failed: number;
}

/** @param work a script with its arguments, for a Node of its own, or a function that throws where it fails */
export async function runStep(
  name: string,
  work: string[] | (() => Promise<void>),
  folder: string,
): Promise<Outcome> {
  const startedAt = performance.now();
  const problem = typeof work === "function" ? await failureOf(work) : await runNode(work, folder);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${problem === undefined ? "✓" : "✗"} ${name} (${seconds} s)`);
  if (problem !== undefined) console.log(problem);
  return problem === undefined ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function runNode(args: string[], folder: string): Promise<string | undefined> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  }
  const [code] = await once(child, "close");
  return code === 0 ? undefined : output.join("").trimEnd();
}
