/** Builds the page once for a test file, into a folder of its own, so that tests never see an old build. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

export interface BuiltPage {
  readonly folder: string;
  remove(): Promise<void>;
}

export async function buildPage(): Promise<BuiltPage> {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-page-"));
  await build({
    configFile: fileURLToPath(new URL("../../vite.config.ts", import.meta.url)),
    root: fileURLToPath(new URL("..", import.meta.url)),
    build: { outDir: folder, emptyOutDir: true },
    logLevel: "warn",
  });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
