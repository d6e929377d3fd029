/** `pnpm dev`: the server, restarted when its source changes, and the page by Vite with hot reload. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const server = spawn(process.execPath, ["--watch", "--watch-preserve-output", here("server/main.ts")], {
  stdio: "inherit",
});
const vite = await createServer({
  configFile: here("vite.config.ts"),
  root: here("page"),
  clearScreen: false,
});
await vite.listen();
vite.printUrls();

let isEnding = false;
async function end(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  // Ctrl-C in a terminal reaches the server as well; a second signal would make it end without order.
  const ended = new Promise((resolve) => server.once("exit", resolve));
  setTimeout(() => server.kill("SIGTERM"), 600).unref();
  await Promise.all([
    vite.close(),
    server.exitCode === null && server.signalCode === null ? ended : undefined,
  ]);
  process.exit();
}
process.once("SIGINT", () => void end());
process.once("SIGTERM", () => {
  server.kill("SIGTERM");
  void end();
});
server.once("exit", () => void end());
