import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Whether this machine lacks the tool, and the tests may be skipped by name. With CI=true they run, and so fail. */
export function isMissing(program: string, ...args: string[]): boolean {
  if (process.env["CI"] === "true") return false;
  return spawnSync(program, args, { stdio: "ignore" }).status !== 0;
}

/**
 * Runs a program at the top of the project, or in `folder` of it, and gives all that it says.
 *
 * @throws with all that it says, when it ends with another code than 0.
 */
export async function run(program: string, args: readonly string[], folder = "."): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: `${ROOT}${folder}` }).catch(
    (error: { stdout?: string; stderr?: string; message: string }) => {
      throw new JudgeError(`${error.message}\n${error.stdout ?? ""}${error.stderr ?? ""}`);
    },
  );
  return stdout + stderr;
}

class JudgeError extends Error {
  override readonly name = "JudgeError";
}
