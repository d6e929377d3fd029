/** The door of the page where a token is asked for: a link with `?token=` opens it and leaves a cookie. */
import type { RequestHandler } from "express";
import type { Access } from "./access.ts";

const ASK = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Real-Time IoT Dashboard</title>
<h1>This dashboard asks for a token</h1>
<p>Open this address with <code>?token=&lt;token&gt;</code> behind it, once. The token is what the server was given
as <code>DASHBOARD_TOKEN</code>.</p>
</html>
`;

/** Lets those pass that have access, takes tokens from links, and answers the others with 401. */
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
