/** `npm run dev`: the whole system while it is being written. Nobody's crash takes another down. */
import { join } from "node:path";
import { watchStopRequests } from "@kelvin/service-kit";
import { runTool } from "./supervise/errors.ts";
import type { ProgramSpec } from "./supervise/program.ts";
import { RestartingProgram } from "./supervise/restarting-program.ts";
import { createTerminal } from "./supervise/terminal.ts";
import { layOut, root, STOP_ORDER } from "./system/layout.ts";
import { help, readOptions } from "./system/options.ts";

const USAGE = `npm run dev [-- options]      The whole system for development: each part is started anew when its
                              sources change or when it crashes, and the page has hot reload.`;
/** The parts find each other in any order; the broker's head start only spares the log some lines. */
const BROKER_HEAD_START_MS = 5000;
const PAGE = "page";
const SHARED = ["schema", "streams", "service-kit"].map((name) => join(root, "packages", name, "src"));

await runTool(async () => {
  const options = readOptions(USAGE, process.argv.slice(2), process.env);
  if (options.isHelp) {
    process.stdout.write(help(USAGE));
    return 0;
  }
  const terminal = createTerminal([...STOP_ORDER, PAGE]);
  const { broker, producer, processor, dashboard, environment } = await layOut(options, terminal);
  const shared = { terminal, environment };
  const services = join(root, "services");
  const page: ProgramSpec = {
    name: PAGE,
    script: join(root, "tools", "system", "page-server.ts"),
    environment: { DASHBOARD_URL: `http://localhost:${dashboard.environment?.PORT}` },
  };
  // In the order in which they are stopped.
  const programs = [
    new RestartingProgram(producer, [join(services, "producer", "src"), ...SHARED], shared),
    new RestartingProgram(processor, [join(services, "stream-processor", "src"), ...SHARED], shared),
    new RestartingProgram(dashboard, [join(services, "dashboard", "server"), ...SHARED], shared),
    new RestartingProgram(page, [], shared),
  ];
  const asked = watchStopRequests(() => {
    for (const program of programs) program.kill();
    process.exit(1);
  });
  const stopRequest = new Promise<void>((resolve) => asked.addEventListener("abort", () => resolve()));
  const runs: Promise<void>[] = [];
  if (broker !== undefined) {
    const own = new RestartingProgram(broker, [join(root, "packages", "embedded-kafka", "src")], shared);
    programs.push(own);
    const headStart = new Promise<void>((resolve) => {
      setTimeout(resolve, BROKER_HEAD_START_MS);
      runs.push(own.run(resolve));
    });
    await Promise.race([headStart, stopRequest]);
  }
  for (const program of programs.slice(0, 4)) if (!asked.aborted) runs.push(program.run(() => {}));
  await stopRequest;
  terminal.say("Stopping ...");
  for (const program of programs) await program.stop();
  await Promise.all(runs);
  terminal.say("Stopped.");
  return 0;
});
