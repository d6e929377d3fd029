/** `npm run dev`: the whole system while it is being written. A crash of one part doesn't affect the others. */
import { join } from "node:path";
import { tellSupervisor, watchStopRequests } from "@kelvin/service-kit";
import { isPageBuilt } from "./page/build.ts";
import { runTool } from "./supervise/errors.ts";
import { freePortLike } from "./supervise/ports.ts";
import type { ProgramSpec } from "./supervise/program.ts";
import { RestartingProgram } from "./supervise/restarting-program.ts";
import { createTerminal } from "./supervise/terminal.ts";
import { announcementOf } from "./system/announcement.ts";
import { layOut, root, STOP_ORDER } from "./system/layout.ts";
import { help, readOptions } from "./system/options.ts";
import { mustTakeOptions, withEveryProblem } from "./system/settings.ts";

const USAGE = `npm run dev [-- options]      The whole system for development: each part restarts when its
                              sources change or when it crashes, and the page has hot reload.`;
const PAGE = "page";
/** Vite's own. */
const PAGE_PORT = 5173;
const SHARED = ["schema", "streams", "service-kit"].map((name) => join(root, "packages", name, "src"));

await runTool(() => withEveryProblem(runForDevelopment));

async function runForDevelopment(): Promise<number> {
  const options = readOptions(USAGE, process.argv.slice(2), process.env);
  if (options.isHelp) {
    process.stdout.write(help(USAGE));
    return 0;
  }
  await mustTakeOptions(options);
  const terminal = createTerminal([...STOP_ORDER, PAGE]);
  const { broker, producer, processor, dashboard, environment, kafka } = await layOut(options, terminal);
  const page: ProgramSpec = {
    name: PAGE,
    script: join(root, "tools", "system", "page-server.ts"),
    environment: {
      DASHBOARD_URL: `http://localhost:${dashboard.environment?.PORT}`,
      PAGE_PORT: String(await freePortLike(options.port === 0 ? 0 : PAGE_PORT)),
    },
  };
  const watched = (spec: ProgramSpec, folders: string[]) =>
    new RestartingProgram(spec, folders, { terminal, environment });
  const sources = (service: string, folder: string) => [join(root, "services", service, folder), ...SHARED];
  const own = {
    producer: watched(producer, sources("producer", "src")),
    processor: watched(processor, sources("stream-processor", "src")),
    dashboard: watched(dashboard, sources("dashboard", "server")),
    page: watched(page, []),
    broker: broker && watched(broker, [join(root, "packages", "embedded-kafka", "src")]),
  };
  // In the order in which they are stopped; the broker starts first and stops last.
  const programs = [
    own.producer,
    own.processor,
    own.dashboard,
    own.page,
    ...(own.broker ? [own.broker] : []),
  ];
  const asked = watchStopRequests(() => {
    for (const program of programs) program.kill();
    process.exit(1);
  });
  const stopRequest = new Promise<void>((resolve) => asked.addEventListener("abort", () => resolve()));
  const runs = programs.toReversed().map((program) => program.run());
  void Promise.all(programs.map((program) => program.ready)).then(async ([, , server, url = ""]) => {
    terminal.announce(announcementOf({ url, server: isPageBuilt(root) ? server : undefined, kafka }));
    await tellSupervisor({ kelvin: "ready", url });
  });
  await stopRequest;
  terminal.say("Stopping ...");
  for (const program of programs) await program.stop();
  await Promise.all(runs);
  terminal.say("Stopped.");
  return 0;
}
