/** `npm start`: the whole system on one machine, by one command, until Ctrl-C. */
import { tellSupervisor, watchStopRequests } from "@kelvin/service-kit";
import { buildPageWhenNeeded } from "./page/build.ts";
import { runTool } from "./supervise/errors.ts";
import type { ProgramSpec } from "./supervise/program.ts";
import { Supervisor } from "./supervise/supervisor.ts";
import { createTerminal, type Terminal } from "./supervise/terminal.ts";
import { type Layout, layOut, root, STOP_ORDER } from "./system/layout.ts";
import { help, readOptions } from "./system/options.ts";
import { mustTakeOptions, withEveryProblem } from "./system/settings.ts";

const USAGE = "npm start [-- options]      The whole system: broker, producer, stream processor, dashboard.";
/** How long to wait before naming the services that aren't ready yet. */
const PATIENCE_MS = 15_000;

await runTool(() => withEveryProblem(runDemo));

async function runDemo(tell: (environment: NodeJS.ProcessEnv) => void): Promise<number> {
  const options = readOptions(USAGE, process.argv.slice(2), process.env);
  if (options.isHelp) {
    process.stdout.write(help(USAGE));
    return 0;
  }
  await mustTakeOptions(options);
  const terminal = createTerminal(STOP_ORDER);
  const layout = await layOut(options, terminal);
  tell(layout.environment);
  const supervisor = new Supervisor(terminal, layout.environment);
  const asked = watchStopRequests(() => {
    terminal.say("Second stop request: exiting immediately.");
    supervisor.kill();
    process.exit(1);
  });
  const stopRequest = new Promise<void>((resolve) => asked.addEventListener("abort", () => resolve()));
  try {
    const all = startAll(supervisor, layout, terminal).then(() => new Promise<never>(() => {}));
    await Promise.race([stopRequest, all, supervisor.failed]);
  } catch (error) {
    terminal.say("Stopping the others ...");
    await supervisor.stop(STOP_ORDER);
    throw error;
  }
  terminal.say("Stopping ...");
  const isWell = await supervisor.stop(STOP_ORDER);
  terminal.say("Stopped.");
  return isWell ? 0 : 1;
}

/** Starts what the others need first; resolves when all are ready. */
async function startAll(supervisor: Supervisor, layout: Layout, terminal: Terminal): Promise<void> {
  // The dashboard needs no page to start, only to be looked at.
  const page = buildPageWhenNeeded(root, () => terminal.say("Building the page ..."));
  page.catch(() => {});
  if (layout.broker !== undefined) await supervisor.start(layout.broker);
  const waiting = new Set([layout.producer.name, layout.processor.name, layout.dashboard.name]);
  const patience = setTimeout(() => {
    terminal.say(`Still waiting for ${[...waiting].join(" and ")}: see the lines above.`);
  }, PATIENCE_MS);
  const start = (spec: ProgramSpec) => supervisor.start(spec).finally(() => waiting.delete(spec.name));
  const [url] = await Promise.all([
    start(layout.dashboard),
    start(layout.producer),
    start(layout.processor),
    page,
  ]).finally(() => clearTimeout(patience));
  terminal.announce(`\nKelvin is running: ${url}   (Kafka at ${layout.kafka}; Ctrl-C stops everything)\n`);
  await tellSupervisor({ kelvin: "ready", url });
}
