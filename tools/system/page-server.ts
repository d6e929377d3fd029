/** The page with hot reload, as a program among the others: Vite's development server. */
import { join } from "node:path";
import { watchStopRequests } from "@kelvin/service-kit";
import { createLogger, createServer } from "vite";
import { root } from "./layout.ts";
import { withoutStacksOfOutages } from "./proxy-log.ts";

const dashboard = join(root, "services", "dashboard");
const asked = watchStopRequests(() => process.exit(1));
/** The one that it had before it was restarted: a page that is open finds it again. */
const port = Number(process.env["PAGE_PORT"] ?? 5173);
const server = await createServer({
  configFile: join(dashboard, "vite.config.ts"),
  root: join(dashboard, "page"),
  clearScreen: false,
  customLogger: withoutStacksOfOutages(createLogger("info", { allowClearScreen: false }), () =>
    performance.now(),
  ),
  server: { port, strictPort: true },
});
await server.listen();
server.printUrls();
process.send?.({ kelvin: "ready", url: server.resolvedUrls?.local[0] ?? "" });
asked.addEventListener("abort", () => void server.close().then(() => process.exit(0)));
