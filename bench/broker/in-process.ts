/** What a test pays for a broker in its own process: prints the milliseconds as JSON, and ends. */
const [beganMs, cpuAtFirst] = [performance.now(), process.cpuUsage()];
const { startBroker } = await import("@kelvin/embedded-kafka");
const [loadedMs, cpuLoaded] = [performance.now(), process.cpuUsage()];
const broker = await startBroker();
const [listensMs, cpuListens] = [performance.now(), process.cpuUsage()];
await broker.stop();

const cpuMs = (from: NodeJS.CpuUsage, to: NodeJS.CpuUsage) =>
  (to.user + to.system - from.user - from.system) / 1_000;
console.log(
  JSON.stringify({
    loadMs: loadedMs - beganMs,
    loadCpuMs: cpuMs(cpuAtFirst, cpuLoaded),
    startMs: listensMs - loadedMs,
    startCpuMs: cpuMs(cpuLoaded, cpuListens),
  }),
);
