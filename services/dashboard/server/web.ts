/** The page itself: files that were built, and headers that let a browser run nothing else. */
import { existsSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { type Opening, type OpeningOf, openingOf, openingPath } from "@kelvin/schema/live";
import express, { type Express } from "express";
import helmet from "helmet";
import { Access } from "./access.ts";
import type { OpeningVerdict } from "./admission.ts";
import { compressed } from "./compressed.ts";
import { login } from "./login.ts";

/** Served while the page is not built. */
const NO_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="1">
<title>Real-Time IoT Dashboard</title>
<h1>The page is not built yet</h1>
<p>The server is running and shows the page here as soon as it is built. <code>npm start</code> is building it now;
otherwise run <code>npm run build</code> in <code>services/dashboard</code>.</p>
</html>
`;

export interface WebOptions {
  /** Where the built page lies; it may appear later. */
  readonly pageFolder: string;
  /** Who is shown it; everybody by default. */
  readonly access?: Access;
  /** What a page is told first, and who may ask for it; undefined: by its socket alone. */
  readonly opening?: {
    readonly judge: (request: IncomingMessage) => OpeningVerdict;
    readonly of: (what: OpeningOf) => Opening;
  };
}

export function createWeb({ pageFolder, access = new Access(undefined), opening }: WebOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use(securityHeaders());
  app.use(login(access));
  if (opening !== undefined) serveOpening(app, opening);
  app.use(compressed(pageFolder));
  app.use(
    "/assets",
    express.static(join(pageFolder, "assets"), {
      immutable: true,
      maxAge: "1y",
      index: false,
      fallthrough: false,
    }),
  );
  app.use(
    express.static(pageFolder, {
      cacheControl: false,
      setHeaders: (response) => response.setHeader("cache-control", "no-cache"),
    }),
  );
  app.get("/", (_request, response, next) => {
    if (existsSync(join(pageFolder, "index.html"))) next();
    else response.status(503).type("html").send(NO_PAGE);
  });
  app.use((_request, response) => {
    response.status(404).type("text").send("Not found.\n");
  });
  app.use(onError);
  return app;
}

/** Nothing but the page's own files, from its own origin, in no one's frame. */
function securityHeaders() {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        fontSrc: ["'self'"],
        // 'self' covers the socket of the same host and port, too (CSP 3).
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    xFrameOptions: { action: "deny" },
    // The address may be a plain one in a local network: whoever adds TLS in front adds this header there.
    strictTransportSecurity: false,
  });
}

/** What the page is told first, asked for while its script is still on the way. */
function serveOpening(app: Express, opening: NonNullable<WebOptions["opening"]>): void {
  app.get("/opening.json", (request, response) => {
    response.setHeader("cache-control", "no-store");
    // It says what the socket says, and so is for those whom the socket is for.
    const verdict = opening.judge(request);
    if (verdict.ok) response.json(opening.of(askedOf(request)));
    else {
      if (verdict.isTooOften) response.setHeader("retry-after", "1");
      response
        .status(verdict.isTooOften ? 429 : 403)
        .type("text")
        .send(`${verdict.why}\n`);
    }
  });
  app.get(["/", "/index.html"], (request, response, next) => {
    // Begun with the page's first bytes, it is there when the script is.
    response.setHeader(
      "link",
      `<./${openingPath(askedOf(request))}>; rel=preload; as=fetch; crossorigin=anonymous`,
    );
    next();
  });
}

/** What the address names of what could be there. */
function askedOf({ originalUrl }: express.Request): OpeningOf {
  return openingOf(originalUrl.split("?").slice(1).join("?"));
}

/** Express's own handler would show a stack trace. It tells an error handler by its four parameters. */
function onError(
  error: unknown,
  _request: express.Request,
  response: express.Response,
  next: express.NextFunction,
) {
  if (response.headersSent) next(error);
  else response.status(statusOf(error)).type("text").send("This request can't be served.\n");
}

function statusOf(error: unknown): number {
  const status = typeof error === "object" && error !== null && "status" in error ? error.status : undefined;
  return typeof status === "number" && status >= 400 && status < 500 ? status : 500;
}
