/** The page with hot reload, as a program among the others: Vite's development server. */
import { join } from "node:path";
import { watchStopRequests } from "@kelvin/service-kit";
import { createServer } from "vite";
import { root } from "./layout.ts";

const dashboard = join(root, "services", "dashboard");
const asked = watchStopRequests(() => process.exit(1));
const server = await createServer({
  configFile: join(dashboard, "vite.config.ts"),
  root: join(dashboard, "page"),
  clearScreen: false,
});
await server.listen();
server.printUrls();
process.send?.({ kelvin: "ready", url: server.resolvedUrls?.local[0] ?? "" });
asked.addEventListener("abort", () => void server.close().then(() => process.exit(0)));
