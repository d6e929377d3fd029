/** How long the embedded broker takes to listen: in a process that is there, and as a program. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import * as z from "zod";

const PROGRAM = join(import.meta.dirname, "../../packages/embedded-kafka/src/main.ts");
const IN_PROCESS = join(import.meta.dirname, "in-process.ts");

const InProcess = z.object({
  loadMs: z.number(),
  loadCpuMs: z.number(),
  startMs: z.number(),
  startCpuMs: z.number(),
});

export type InProcessStart = z.infer<typeof InProcess>;

/** `startBroker()` in a fresh process, apart from the loading of its code. */
export async function startInProcess(): Promise<InProcessStart> {
  const { stdout } = await promisify(execFile)(process.execPath, [IN_PROCESS]);
  return InProcess.parse(JSON.parse(stdout));
}

/** The program, from its call to the line that says that it listens; milliseconds. */
export async function startProgram(): Promise<number> {
  return timeOf(process.env);
}

/** The same on a machine that has no compiled code of it yet. */
export async function startProgramFirst(): Promise<number> {
  const cache = await mkdtemp(join(tmpdir(), "kelvin-bench-"));
  try {
    return await timeOf({ ...process.env, NODE_COMPILE_CACHE: cache });
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

async function timeOf(env: NodeJS.ProcessEnv): Promise<number> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, [PROGRAM, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
    env,
  });
  const ended = once(child, "exit");
  await once(createInterface({ input: child.stdout }), "line");
  const tookMs = performance.now() - beganMs;
  child.kill();
  await ended;
  return tookMs;
}
