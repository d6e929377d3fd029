/** The web page, built when its sources have changed since the last time, and only then. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ToolError } from "../supervise/errors.ts";

/** What the built page depends on, relative to the project's root. */
const SOURCES = [
  "pnpm-lock.yaml",
  "packages/schema/src/**/*.ts",
  "services/dashboard/package.json",
  "services/dashboard/vite.config.ts",
  "services/dashboard/page/**/*",
];

/** Whether there is a page to serve at all, of these sources or of older ones. */
export function isPageBuilt(root: string): boolean {
  return existsSync(join(root, "services", "dashboard", "dist", "index.html"));
}

/** @param onBuild called before a build, which takes a few seconds */
export async function buildPageWhenNeeded(root: string, onBuild: () => void): Promise<void> {
  const dashboard = join(root, "services", "dashboard");
  const marker = join(dashboard, "dist", ".sources");
  const wanted = fingerprint(root);
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  onBuild();
  await viteBuild(dashboard);
  writeFileSync(marker, wanted);
}

function fingerprint(root: string): string {
  const hash = createHash("sha256");
  for (const name of globSync(SOURCES, {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => entry.name === "node_modules",
  })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()) {
    hash.update(name.slice(root.length)).update("\0").update(readFileSync(name)).update("\0");
  }
  return `${hash.digest("hex")}\n`;
}

function viteBuild(dashboard: string): Promise<void> {
  const vite = join(dashboard, "node_modules", "vite", "bin", "vite.js");
  const child = spawn(process.execPath, [vite, "build", "--mode", "quick", "--logLevel", "warn"], {
    cwd: dashboard,
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => output.push(text));
  return new Promise((resolve, reject) => {
    child.on("error", (error) =>
      reject(new ToolError(`The page can't be built: ${error.message}`, { cause: error })),
    );
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new ToolError(`The page can't be built:\n${output.join("").trim()}`));
    });
  });
}
