/** Who may open a socket: pages that this server gave out itself, under an address that is really its own. */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/**
 * Refuses pages of other origins, and pages that came here under a name which anybody could point at this machine (DNS
 * rebinding): a name must be a loopback name, an IP address or one of `allowed`.
 *
 * A request without an Origin header (a program, or the same origin's plain GET) is judged by its Host alone.
 *
 * @param allowed origins as `new URL(...).origin` writes them
 */
export function judgeOrigin(request: Pick<IncomingMessage, "headers">, allowed: readonly string[]): Verdict {
  const { origin, host } = request.headers;
  if (origin !== undefined && allowed.includes(origin)) return { ok: true };
  const own = host === undefined ? undefined : parsed(`http://${host}`);
  if (own === undefined) return refused("the request names no host");
  if (origin !== undefined && parsed(origin)?.host !== hostOf(origin, host)) {
    return refused(`a page of ${origin} may not connect to ${host}`);
  }
  const isKnown = isOwnName(own.hostname) || allowed.some((one) => new URL(one).hostname === own.hostname);
  if (!isKnown) return refused(`"${own.hostname}" is not a known name of this server`);
  if (request.headers["sec-fetch-site"] === "cross-site")
    return refused("the request came from a page of another site");
  return { ok: true };
}

function refused(why: string): Verdict {
  return { ok: false, why: `${why}. Set ALLOWED_ORIGINS=<origin,...> to allow more addresses.` };
}

/** The host as the origin's scheme writes it: without the port that the scheme implies. */
function hostOf(origin: string, host: string | undefined): string | undefined {
  const scheme = parsed(origin)?.protocol ?? "http:";
  return parsed(`${scheme}//${host}`)?.host;
}

function isOwnName(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    isIP(hostname.replace(/^\[|\]$/g, "")) !== 0
  );
}

function parsed(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
