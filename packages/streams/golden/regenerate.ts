/** Regenerates the golden files, with Java 17 or newer and Maven: `node packages/streams/golden/regenerate.ts`. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const CASES = 75;
const here = import.meta.dirname;
const build = mkdtempSync(join(tmpdir(), "kelvin-golden-"));
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: here, stdio: "inherit" });
try {
  const libs = join(build, "libs");
  const classes = join(build, "classes");
  run("mvn", "-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${libs}`);
  run("javac", "-cp", join(libs, "*"), "-d", classes, "GoldenWindows.java");
  run("java", "-cp", [classes, join(libs, "*")].join(delimiter), "GoldenWindows", here, String(CASES));
} finally {
  rmSync(build, { recursive: true, force: true });
}
