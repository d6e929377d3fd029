/** What a first view of the built page has to fetch of scripts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "../../tools/system/layout.ts";
import type { Goal } from "../goals.ts";

/** All scripts of the page as it was built last, gzipped. */
export function scriptSize(): Goal {
  const assets = join(root, "services", "dashboard", "dist", "assets");
  const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
  const bytes = scripts.map((name) => gzipSync(readFileSync(join(assets, name))).length);
  const value = bytes.reduce((sum, size) => sum + size, 0) / 1000;
  return { what: "script, gzipped", value, must: 120, aim: 75, unit: "kB", isGate: true };
}
