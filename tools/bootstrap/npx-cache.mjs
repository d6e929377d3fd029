/** Packages that npx has fetched before, found without asking npx, which takes longer than all else at a first start. */
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder of programs, Node and pnpm of these packages in npx's cache, or undefined where npx must be asked. npm (7 and
 * newer) keeps each set of packages in `_npx/<hash>`, names the set in its package.json, and writes
 * `node_modules/.package-lock.json` last of all: without it, something was broken off.
 *
 * @param {string | undefined} cache npm's cache folder, which npm tells its scripts as `npm_config_cache`
 * @param {readonly string[]} packages each as `name@version`
 */
export function findInNpxCache(cache, packages) {
  // Windows has scripts in place of links there, which don't say where the program is.
  if (cache === undefined || process.platform === "win32") return undefined;
  try {
    const sets = join(cache, "_npx");
    const set = readdirSync(sets).find((name) => holds(join(sets, name), packages));
    return set === undefined ? undefined : programsIn(join(sets, set, "node_modules"));
  } catch {
    return undefined;
  }
}

function holds(set, packages) {
  try {
    const { _npx } = readJson(join(set, "package.json"));
    if ([..._npx.packages].sort().join() !== [...packages].sort().join()) return false;
    const installed = readJson(join(set, "node_modules", ".package-lock.json")).packages;
    return packages.every((each) => {
      const [name, version] = each.split("@");
      return installed[`node_modules/${name}`]?.version === version;
    });
  } catch {
    return false;
  }
}

function programsIn(folder) {
  const bin = join(folder, ".bin");
  const node = join(bin, "node");
  const pnpm = join(folder, "pnpm", "bin", "pnpm.mjs");
  return { bin, pnpm, node: existsSync(node) ? realpathSync(node) : process.execPath };
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
