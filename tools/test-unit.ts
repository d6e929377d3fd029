/** `npm run test:unit`: the tests that need no Kafka, no browser and no container; the quick round while coding. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const vitestMain = fileURLToPath(new URL("vitest.mjs", import.meta.resolve("vitest/package.json")));
const child = spawn(process.execPath, [vitestMain, "run", "--project", "unit", ...process.argv.slice(2)], {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  stdio: "inherit",
});
await once(child, "exit");
process.exitCode = child.exitCode ?? 1;
