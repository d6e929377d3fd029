/** The login of a page that requires a token: a link with `?token=` sets a cookie. */
import type { RequestHandler } from "express";
import type { Access } from "./access.ts";

const ASK = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Real-Time IoT Dashboard</title>
<h1>This dashboard requires a token</h1>
<p>Append <code>?token=&lt;token&gt;</code> to this address and open it once. The token is the server's setting
<code>DASHBOARD_TOKEN</code>.</p>
</html>
`;

/** Admits requests with access, accepts tokens from links, and answers others with 401. */
export function login(access: Access): RequestHandler {
  return (request, response, next) => {
    // Nothing of the path is taken over: an address that begins with two slashes would lead to another host.
    const asked = new URL(`http://localhost/?${request.originalUrl.split("?").slice(1).join("?")}`);
    const token = request.path === "/" ? asked.searchParams.get("token") : null;
    if (!access.isOpen && token !== null && access.isToken(token)) {
      // The address is what people copy, and what stays in a browser's history: the token leaves it at once.
      asked.searchParams.delete("token");
      response.setHeader("cache-control", "no-store");
      response.setHeader("set-cookie", access.cookie(request));
      response.redirect(303, `./${asked.search}`);
    } else if (access.admits(request)) next();
    else {
      response.setHeader("cache-control", "no-store");
      response.setHeader("www-authenticate", 'Bearer realm="dashboard"');
      response.status(401).type("html").send(ASK);
    }
  };
}
