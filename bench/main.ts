/** `npm run bench -- <name>`: runs bench/<name>/main.ts, which measures one part and prints goals beside values. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const HERE = import.meta.dirname;
const names = readdirSync(HERE).filter((name) => existsSync(join(HERE, name, "main.ts")));
const [name = ""] = process.argv.splice(2, 1);

if (names.includes(name)) {
  await import(pathToFileURL(join(HERE, name, "main.ts")).href);
} else {
  console.error(`npm run bench -- <${names.join(" | ")}> [options]`);
  process.exitCode = 2;
}
