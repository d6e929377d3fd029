/**
 * The door of every command: `node tools/bootstrap.mjs <command> [arguments]`, by any Node from 18 on, with npm alone.
 *
 * It finds the Node and pnpm that the project is written for, installs packages when the lock file has changed, and hands
 * over to `tools/<command>.ts`. Plain JavaScript and built-in modules only: nothing else is there yet.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installWhenNeeded } from "./bootstrap/install.mjs";
import { BootstrapError, findNode } from "./bootstrap/runtime.mjs";

const tools = dirname(fileURLToPath(import.meta.url));
const root = dirname(tools);

/** Commands whose program is not called as they are. */
const PROGRAMS = {
  start: join(tools, "demo.ts"),
  broker: join(root, "packages", "embedded-kafka", "src", "main.ts"),
  producer: join(root, "services", "producer", "src", "main.ts"),
  "stream-processor": join(root, "services", "stream-processor", "src", "main.ts"),
  bench: join(root, "bench", "main.ts"),
  fuzz: join(root, "packages", "embedded-kafka", "fuzz", "main.ts"),
  topology: join(root, "services", "stream-processor", "src", "describe", "main.ts"),
};

/** npm ends at once when it is told to, and says nothing to us: so often we look whether it is still there. */
const PARENT_CHECK_MS = 500;

try {
  const [command = "", ...args] = process.argv.slice(2);
  const program = programOf(command);
  const node = await findNode(root);
  await installWhenNeeded(root, node);
  const { variables, rest } = splitVariables(args[0] === "--" ? args.slice(1) : args);
  handOver(node, program, rest, variables);
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}

function programOf(command) {
  const program = Object.hasOwn(PROGRAMS, command) ? PROGRAMS[command] : join(tools, `${command}.ts`);
  if (/^[a-z][a-z-]*$/.test(command) && existsSync(program)) return program;
  const names = readdirSync(tools).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const known = [...Object.keys(PROGRAMS), ...names.map((name) => basename(name, ".ts"))].sort();
  throw new BootstrapError(`There is no command "${command}". Commands: ${known.join(", ")}.`, {
    exitCode: 2,
  });
}

/** `NAME=value` before all else sets a variable, as for make: one line for every shell, cmd.exe among them. */
function splitVariables(args) {
  const at = args.findIndex((arg) => !/^[A-Z][A-Z0-9_]*=/.test(arg));
  const given = at === -1 ? args : args.slice(0, at);
  const variables = given.map((arg) => [arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)]);
  return { variables: Object.fromEntries(variables), rest: args.slice(given.length) };
}

/** Runs the program as a child that shares our terminal, and ends as it ends. */
function handOver(node, program, args, variables) {
  const child = spawn(node.path, ["--disable-warning=ExperimentalWarning", program, ...args], {
    // The channel is the life line: if we are killed, the program sees it close.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    // Compiled code is kept beside what else is remembered: it halves the processor time of a start.
    env: { NODE_COMPILE_CACHE: join(root, ".cache", "compile"), ...node.environment, ...variables },
    windowsHide: true,
  });
  // A terminal gives Ctrl-C to the whole group, but a signal may also be for us alone. On Windows only the former exists.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (process.platform !== "win32") child.kill(signal);
    });
  }
  if (process.env.npm_lifecycle_event !== undefined) whenParentIsGone(() => child.kill("SIGTERM"));
  child.on("error", (error) => {
    console.error(`${node.path} can't be run: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

/** npm may run us by a shell, which then outlives it: both are watched. */
function whenParentIsGone(stop) {
  const parent = process.ppid;
  const npm = parentOfShell(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm === undefined || isAlive(npm))) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
  timer.unref();
}

/** The parent of this process, if this process is a shell. */
function parentOfShell(pid) {
  if (process.platform === "win32") return undefined;
  const answer = spawnSync("ps", ["-o", "ppid=,comm=", "-p", String(pid)], { encoding: "utf8" });
  const [, parent, command] = /^\s*(\d+)\s+(.*?)\s*$/.exec(answer.stdout ?? "") ?? [];
  return command !== undefined && /(^|\/|-)(ba|da|z|k|a)?sh$/.test(command) ? Number(parent) : undefined;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
