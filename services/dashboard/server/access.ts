/** Whom the dashboard is shown to, if a setting requires a token: header, cookie, or a program's handshake. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

type Asking = Pick<IncomingMessage, "headers">;

const BEARER = /^Bearer +(\S+)$/i;
const COOKIE_DAYS = 30;

export class Access {
  readonly #token: string | undefined;
  readonly #cookie: { readonly name: string; readonly value: string };

  /** @param token undefined: everybody who reaches the server is let in */
  constructor(token: string | undefined) {
    this.#token = token;
    // A cookie lies on disks: it proves that its owner knew the token, and does not hold it. Its name differs with the
    // token, because the ports of a machine share their cookies, and so would two dashboards.
    const proof = (of: string) =>
      createHmac("sha256", token ?? "")
        .update(of)
        .digest("hex");
    this.#cookie = { name: `kelvin-${proof("name").slice(0, 12)}`, value: proof("value") };
  }

  /** True where nothing is asked for. */
  get isOpen(): boolean {
    return this.#token === undefined;
  }

  /** By `Authorization: Bearer <token>`, or by the cookie that `cookie` gave. */
  admits({ headers }: Asking): boolean {
    if (this.isOpen) return true;
    const [, bearer] = BEARER.exec(headers.authorization ?? "") ?? [];
    if (bearer !== undefined) return this.isToken(bearer);
    return cookiesOf(headers.cookie ?? "", this.#cookie.name).some((value) =>
      isEqual(value, this.#cookie.value),
    );
  }

  isToken(text: string): boolean {
    return this.#token === undefined || isEqual(text, this.#token);
  }

  /** The `Set-Cookie` for who has shown the token. Lax, not strict: a link in a chat is to open the page. */
  cookie({ headers }: Asking): string {
    const { name, value } = this.#cookie;
    const secure = headers["x-forwarded-proto"] === "https" ? "; Secure" : "";
    return `${name}=${value}; Max-Age=${COOKIE_DAYS * 86_400}; Path=/; HttpOnly; SameSite=Lax${secure}`;
  }
}

/** In a time that says nothing about where the two differ, or about the length of the secret. */
function isEqual(given: string, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

function cookiesOf(header: string, name: string): string[] {
  return header.split(";").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at !== -1 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
}
