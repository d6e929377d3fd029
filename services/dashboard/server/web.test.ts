import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isOpening, openingPath } from "@kelvin/schema/live";
import { afterEach, expect, test } from "vitest";
import { get, startServer } from "./fixtures/server-and-page.ts";

const folders: string[] = [];
afterEach(() => Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true }))));

async function builtPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-page-"));
  folders.push(folder);
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>Real-Time IoT Dashboard</title>");
  await writeFile(join(folder, "assets", "index-abc123.js"), "export {};");
  return folder;
}

test("the page is revalidated each time, its hashed files are cached by the browser", async () => {
  await using server = await startServer({}, await builtPage());
  const page = await get(`${server.url}/?device=machine-01`);
  expect(page).toMatchObject({ status: 200, headers: { "cache-control": "no-cache" } });
  expect(page.body).toContain("Real-Time IoT Dashboard");
  const script = await get(`${server.url}/assets/index-abc123.js`);
  expect(script.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(script.headers["content-type"]).toContain("javascript");
});

test("what a page is told first is on its way with the page's first bytes", async () => {
  await using server = await startServer({}, await builtPage());
  server.hear("machine-01", 21);
  server.hear("a&b", 22.5);
  const link = async (query: string) => (await get(`${server.url}/${query}`)).headers["link"];
  expect(await link("")).toBe("<./opening.json>; rel=preload; as=fetch; crossorigin=anonymous");
  expect(await link("?device=a%26b&unit=kelvin")).toContain("<./opening.json?device=a%26b>;");
  const attack = await link(`?device=${encodeURIComponent('x>; rel="modulepreload", </evil.js')}`);
  expect(attack).toBe(
    "<./opening.json?device=x%3E%3B%20rel%3D%22modulepreload%22%2C%20%3C%2Fevil.js>; rel=preload; as=fetch; crossorigin=anonymous",
  );
  expect(await link("?span=900&theme=dark")).toContain("<./opening.json?span=900>;");
  expect(await link("?span=1e9%3B")).toContain("<./opening.json>;");
  for (const none of ["?device=", `?device=${"x".repeat(65)}`])
    expect(await link(none)).toContain("<./opening.json>;");

  const answer = await get(`${server.url}/${openingPath({ device: "a&b", spanMs: undefined })}`);
  expect(answer.headers["cache-control"]).toBe("no-store");
  const opening: unknown = JSON.parse(answer.body);
  expect(isOpening(opening)).toBe(true);
  expect(opening).toMatchObject({
    welcome: { boot: "boot-1" },
    fleet: { total: 2 },
    snapshot: { device: "a&b", known: true, next: 2, readings: { celsius: [22.5] } },
  });
});

test("what a page is told first is for those whom its socket is for", async () => {
  await using server = await startServer({ maxClients: 0 });
  expect(await get(`${server.url}/opening.json`)).toMatchObject({ status: 403 });
  await using open = await startServer();
  for (const headers of [
    { host: "rebound.example:3000" },
    { origin: "http://evil.example" },
    { "sec-fetch-site": "cross-site" },
  ]) {
    const refused = await get(`${open.url}/opening.json`, headers);
    expect(refused).toMatchObject({ status: 403, headers: { "cache-control": "no-store" } });
    expect(refused.body).not.toContain("welcome");
  }
});

test("who asks for it all the time is told to wait, and nobody else is", async () => {
  await using server = await startServer();
  const ask = async (host: string) => {
    const { status, headers } = await get(`http://${host}:${new URL(server.url).port}/opening.json`);
    return { status, retryAfter: headers["retry-after"] };
  };
  const answers = await Promise.all(Array.from({ length: 300 }, () => ask("127.0.0.1")));
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  expect(new Set(refused.map(({ status, retryAfter }) => `${status} ${retryAfter}`))).toEqual(
    new Set(["429 1"]),
  );
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(100);
  expect(await ask("[::1]")).toMatchObject({ status: 200 });
  expect(await server.metrics()).toContain(`refused_openings_total{service="test"} ${refused.length}`);
});

test("before the first device there is no snapshot to tell", async () => {
  await using server = await startServer();
  const opening: unknown = JSON.parse((await get(`${server.url}/opening.json`)).body);
  expect(opening).toMatchObject({ fleet: { total: 0 }, snapshot: null });
  expect(isOpening(opening)).toBe(true);
});

test("files go out as the build has compressed them, where the browser reads that", async () => {
  const folder = await builtPage();
  const script = join(folder, "assets", "index-abc123.js");
  await writeFile(`${script}.br`, "brotli");
  await writeFile(`${script}.gz`, "gzip");
  await writeFile(join(folder, "index.html.gz"), "page gzip");
  await using server = await startServer({}, folder);
  const ask = (path: string, accepts: string) => get(server.url + path, { "accept-encoding": accepts });
  for (const [accepts, encoding, body] of [
    ["gzip, deflate, br, zstd", "br", "brotli"],
    ["gzip", "gzip", "gzip"],
    ["br;q=0, gzip", "gzip", "gzip"],
    ["identity", undefined, "export {};"],
    ["*;q=0", undefined, "export {};"],
  ] as const) {
    const answer = await ask("/assets/index-abc123.js", accepts);
    expect(answer).toMatchObject({ status: 200, body });
    expect(answer.headers["content-encoding"]).toBe(encoding);
    expect(answer.headers["content-type"]).toContain("text/javascript");
    expect(answer.headers["vary"]).toMatch(/accept-encoding/i);
    expect(answer.headers["cache-control"]).toContain("immutable");
  }
  const page = await ask("/?device=a", "br, gzip");
  expect(page).toMatchObject({ body: "page gzip", headers: { "content-encoding": "gzip" } });
  expect(page.headers["content-type"]).toContain("text/html");
  expect(page.headers["cache-control"]).toBe("no-cache");
  const missing = await ask("/assets/index-other.js", "br");
  expect(missing.status).toBe(404);
  expect(missing.headers["content-encoding"]).toBeUndefined();
});

test("a browser may run and load only what comes from here", async () => {
  await using server = await startServer({}, await builtPage());
  for (const path of ["/", "/assets/index-abc123.js", "/nothing"]) {
    const { headers } = await get(server.url + path);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["x-powered-by"]).toBeUndefined();
  }
});

test("what is not there, or asked for by a trick, is 404 without details", async () => {
  await using server = await startServer({}, await builtPage());
  for (const path of [
    "/nothing",
    "/assets/nothing.js",
    "/assets/../../package.json",
    "/%2e%2e/package.json",
    "/%00",
  ]) {
    const { status, body } = await get(server.url + path);
    expect([400, 403, 404]).toContain(status);
    expect(body).not.toContain("Error");
    expect(body).not.toContain("kelvin-page");
  }
});

test("without a built page the answer says how to make one, and works once it is there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-page-"));
  folders.push(folder);
  await using server = await startServer({}, folder);
  const answer = await get(server.url);
  expect(answer.status).toBe(503);
  expect(answer.body).toContain("npm run build");
  await writeFile(join(folder, "index.html"), "<!doctype html>built");
  expect((await get(server.url)).body).toContain("built");
});
