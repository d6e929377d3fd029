import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Module, readModule } from "./module.ts";

/** What the check looks at: plain values, so that a test can make one up. */
export interface Project {
  /** Every TypeScript file by its path from the root, with forward slashes. */
  readonly modules: ReadonlyMap<string, Module>;
  readonly members: readonly Member[];
}

/** A member of the workspace; the root is one, with the folder "". */
export interface Member {
  readonly name: string;
  readonly folder: string;
  /** Subpath ("." or "./live") to the file behind it, from the root. */
  readonly exports: ReadonlyMap<string, string>;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

const Manifest = z.object({
  name: z.string(),
  exports: z.record(z.string(), z.string()).default({}),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});

const SKIPPED_FOLDERS = new Set(["node_modules", "dist", "artefacts", "coverage"]);

export async function readProject(root: string): Promise<Project> {
  const modules = new Map<string, Module>();
  for await (const path of typescriptFiles(root, "")) {
    modules.set(path, readModule(path, await readFile(join(root, path), "utf8")));
  }
  const folders = [""];
  for (const group of ["packages", "services"]) {
    const entries = await readdir(join(root, group));
    folders.push(...entries.map((entry) => `${group}/${entry}`));
  }
  const withManifest = folders.filter((folder) => existsSync(join(root, folder, "package.json")));
  return { modules, members: await Promise.all(withManifest.map((folder) => readMember(root, folder))) };
}

async function* typescriptFiles(root: string, folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    const isSkipped = SKIPPED_FOLDERS.has(entry.name) || entry.name.startsWith(".");
    if (entry.isDirectory() && !isSkipped) yield* typescriptFiles(root, path);
    else if (entry.isFile() && entry.name.endsWith(".ts")) yield path;
  }
}

async function readMember(root: string, folder: string): Promise<Member> {
  const manifest = Manifest.parse(JSON.parse(await readFile(join(root, folder, "package.json"), "utf8")));
  const doors = Object.entries(manifest.exports).map(([subpath, file]): [string, string] => [
    subpath,
    `${folder}/${file.replace(/^\.\//, "")}`,
  ]);
  return {
    name: manifest.name,
    folder,
    exports: new Map(doors),
    dependencies: new Set(Object.keys(manifest.dependencies)),
    devDependencies: new Set(Object.keys(manifest.devDependencies)),
  };
}
