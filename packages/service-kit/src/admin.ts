/** The questions that every service answers over HTTP: are you alive, are you ready, what are your numbers. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { reasonOf } from "./errors.ts";
import type { MetricsRegistry } from "./metrics.ts";

/** The answer to a health question. */
export interface Health {
  readonly ok: boolean;
  /** For people: what is well, or what is missing. */
  readonly why: string;
}

export interface HealthSource {
  live(): Health;
  ready(): Health;
}

/** Answers a request that is the kit's, and tells whether it was. */
export type AdminHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** `/healthz` (alive and making progress), `/readyz` (able to work now) and `/metrics` (Prometheus). */
export function createAdminHandler(
  service: string,
  health: HealthSource,
  metrics: MetricsRegistry,
): AdminHandler {
  return (request, response) => {
    const path = request.url?.split("?", 1)[0];
    if (path !== "/healthz" && path !== "/readyz" && path !== "/metrics") return false;
    if (request.method !== "GET" && request.method !== "HEAD") {
      send(response, 405, "text/plain; charset=utf-8", "GET only\n", { allow: "GET, HEAD" });
    } else if (path === "/metrics") {
      metrics.text().then(
        (text) => send(response, 200, metrics.contentType, text),
        (error: unknown) => send(response, 500, "text/plain; charset=utf-8", `${reasonOf(error)}\n`),
      );
    } else {
      const { ok, why } = path === "/healthz" ? health.live() : health.ready();
      send(
        response,
        ok ? 200 : 503,
        "application/json; charset=utf-8",
        `${JSON.stringify({ service, ok, why })}\n`,
      );
    }
    return true;
  };
}

/** For a service without pages of its own. */
export function adminOnly(handle: AdminHandler) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    if (handle(request, response)) return;
    send(
      response,
      404,
      "text/plain; charset=utf-8",
      "Not found. Available: /healthz, /readyz and /metrics.\n",
    );
  };
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: object = {},
): void {
  response.writeHead(status, {
    ...headers,
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}
