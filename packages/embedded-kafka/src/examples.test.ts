/** The examples of the README are files that run, and the README shows them as they are. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const PACKAGE = join(import.meta.dirname, "..");
const EXAMPLES = join(PACKAGE, "examples");

test.each(readdirSync(EXAMPLES))("%s is in the README, and runs", async (name) => {
  const example = readFileSync(join(EXAMPLES, name), "utf8");
  expect(readFileSync(join(PACKAGE, "README.md"), "utf8")).toContain(`\`\`\`ts\n${example}\`\`\``);
  // Fails with what the example's assertions say.
  await promisify(execFile)(process.execPath, [join(EXAMPLES, name)], { timeout: 20_000 });
});
