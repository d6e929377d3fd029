import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const exec = promisify(execFile);

export interface Compose {
  /** Runs `docker compose` with these arguments on the project's own file, and gives what it prints. */
  run(...args: string[]): Promise<string>;
}

/** Rejects, with what it wrote to standard error, when the command fails. */
export async function docker(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await exec("docker", args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** The project's docker-compose.yml under these settings, with volumes and images apart from those of a demo. */
export function compose(env: Readonly<Record<string, string>>): Compose {
  return { run: (...args) => docker(["compose", "--project-name", "kelvin-test", ...args], env) };
}
