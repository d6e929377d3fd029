/** Gives out files as the build has compressed them (`x.js.br`, `x.js.gz`), to browsers that can read that. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RequestHandler } from "express";

/** The first that the browser accepts and that is there. */
const ENCODINGS = [
  { name: "br", suffix: ".br" },
  { name: "gzip", suffix: ".gz" },
] as const;
const TYPES = new Map([
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["svg", "image/svg+xml"],
]);
/** Plain names only: what is odd about a path is for the file server behind us to judge. */
const PLAIN = /^(?:\/[\w-][\w.-]*)*\/([\w-][\w-]*(?:\.[\w-]+)*\.(\w+))$/;

/** Leads a request to its compressed twin, and leaves serving it to `express.static` behind. */
export function compressed(folder: string): RequestHandler {
  return (request, response, next) => {
    const path = request.path === "/" ? "/index.html" : request.path;
    const type = TYPES.get(PLAIN.exec(path)?.[2] ?? "");
    if (type !== undefined) {
      response.vary("accept-encoding");
      const encoding = ENCODINGS.find(
        ({ name, suffix }) =>
          request.acceptsEncodings(name) === name && existsSync(join(folder, path + suffix)),
      );
      if (encoding !== undefined) {
        request.url = path + encoding.suffix;
        response.setHeader("content-encoding", encoding.name);
        response.type(type);
      }
    }
    next();
  };
}
