/** Which programs a supervisor has started, as the system sees them. */
import { type ChildProcess, execFileSync } from "node:child_process";

/** Process ids of a supervisor's programs, by name. */
export function programsOf(supervisor: ChildProcess): Map<string, number> {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  const found = new Map<string, number>();
  for (const line of lines) {
    const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    const name = nameOf(command);
    if (Number(parent) === supervisor.pid && name !== undefined) found.set(name, Number(pid));
  }
  return found;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function nameOf(command: string): string | undefined {
  if (command.includes("embedded-kafka")) return "broker";
  if (command.includes("page-server")) return "page";
  return /services\/([a-z-]+)\//.exec(command)?.[1];
}
