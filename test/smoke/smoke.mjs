/**
 * `npm run smoke`: `npm start` comes up on this system and goes down again, and leaves nothing behind.
 *
 * Plain JavaScript, as it must run where only Node 18 and npm are: nothing else is installed by then.
 * Linux, macOS: ended as by Ctrl-C. Windows: by force, for no program can press Ctrl-C there for another.
 */
import { spawn, spawnSync } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const isWindows = process.platform === "win32";
const port = Number(process.env.PORT ?? 3000);
const kafkaPort = Number(process.env.KAFKA_PORT ?? 9092);
const PORTS = [port, port + 1, port + 2, kafkaPort];

const startedMs = Date.now();
const npm = spawn("npm", ["start"], { stdio: "inherit", shell: isWindows, detached: !isWindows });
const ended = new Promise((resolve) => npm.on("exit", (code, signal) => resolve(signal ?? code)));

let isUp = false;
try {
  const early = ended.then((how) => isUp || fail(`npm start ended (${how}) before it was ready`));
  await Promise.race([early, until("the dashboard to be ready", 240_000, isReady)]);
  isUp = true;
  say("the dashboard is ready");
} finally {
  stop();
}
await Promise.race([
  ended,
  sleep(30_000).then(() => fail("npm start did not end within 30 s of being told to")),
]);
say("npm start has ended");
await until(`the ports ${PORTS.join(", ")} to be free again`, 20_000, async () => {
  const busy = await Promise.all(PORTS.map(isBusy));
  return !busy.includes(true);
});
if (!isWindows) await until("the last process to end", 10_000, async () => !isGroupAlive());
say("nothing is left behind");
process.exit(0);

async function isReady() {
  const answer = await fetch(`http://localhost:${port}/readyz`).catch(() => undefined);
  if (answer?.ok !== true) return false;
  const page = await fetch(`http://localhost:${port}/`);
  return page.ok && (await page.text()).includes("Real-Time IoT Dashboard");
}

function stop() {
  if (isWindows) spawnSync("taskkill", ["/pid", String(npm.pid), "/t", "/f"]);
  else if (isGroupAlive()) process.kill(-npm.pid, "SIGINT");
}

function isGroupAlive() {
  try {
    return process.kill(-npm.pid, 0);
  } catch {
    return false;
  }
}

function isBusy(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "localhost" });
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function until(what, timeoutMs, condition) {
  const deadlineMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) fail(`timed out after ${timeoutMs / 1000} s waiting for ${what}`);
    await sleep(250);
  }
}

function fail(why) {
  console.error(`smoke: ${why}`);
  process.exitCode = 1;
  stop();
  process.exit();
}

function say(what) {
  console.log(`smoke: ${what}, after ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}
