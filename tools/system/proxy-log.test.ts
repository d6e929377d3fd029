import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import { waitFor } from "@kelvin/test-kit";
import { createLogger, createServer } from "vite";
import { expect, test } from "vitest";
import { root } from "./layout.ts";
import { withoutStacksOfOutages } from "./proxy-log.ts";

function keptLogger() {
  const lines: string[] = [];
  const logger = createLogger("silent");
  logger.error = (message) => void lines.push(`error ${message}`);
  logger.warn = (message) => void lines.push(`warn ${message}`);
  return { lines, logger };
}

test("many errors of one outage are one line, the next outage is another, and any other error stays whole", () => {
  const { lines, logger } = keptLogger();
  let nowMs = 0;
  const log = withoutStacksOfOutages(logger, () => nowMs);
  for (const code of ["EPIPE", "ECONNRESET", "ECONNREFUSED", "ECONNREFUSED"]) {
    log.error("ws proxy error:\n    at stack", { error: Object.assign(new Error(code), { code }) });
    nowMs += 4_000;
  }
  expect(lines).toEqual(["warn the dashboard's server does not answer (EPIPE); the page retries"]);
  nowMs += 10_000;
  log.error("http proxy error", { error: Object.assign(new Error("again"), { code: "ECONNREFUSED" }) });
  expect(lines).toHaveLength(2);
  log.error("page.ts: unexpected token", { error: new SyntaxError("unexpected token") });
  log.error("no error at all");
  expect(lines.slice(2)).toEqual(["error page.ts: unexpected token", "error no error at all"]);
});

test("Vite's proxy tells an outage by an error with its code", async () => {
  const nobody = createTcpServer().listen({ host: "127.0.0.1", port: 0 });
  await once(nobody, "listening");
  const address = nobody.address();
  if (address === null || typeof address === "string") expect.unreachable("no port");
  nobody.close();
  await once(nobody, "close");
  const { lines, logger } = keptLogger();
  const server = await createServer({
    ...{ configFile: false, root, appType: "custom", optimizeDeps: { noDiscovery: true } },
    customLogger: withoutStacksOfOutages(logger, () => performance.now()),
    server: { port: 0, watch: null, proxy: { "/opening.json": `http://127.0.0.1:${address.port}` } },
  });
  try {
    await server.listen();
    const url = server.resolvedUrls?.local[0] ?? "";
    expect((await fetch(new URL("opening.json", url))).status).toBe(502);
    await waitFor("the line", () => lines.length > 0);
    expect(lines).toEqual([
      expect.stringMatching(/^warn the dashboard's server does not answer \(ECONNREFUSED\)/),
    ]);
  } finally {
    await server.close();
  }
});
