/** The token: who gets in with it, and where it never shows. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "@kelvin/service-kit";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Access } from "./access.ts";
import { isLoopback, tellAddresses } from "./addresses.ts";
import { Settings } from "./config.ts";
import { get, startServer, TestPage } from "./fixtures/server-and-page.ts";

const TOKEN = "correct-horse-battery-staple";
const access = new Access(TOKEN);
const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 5_000, interval: 10 });
const pair = (setCookie: unknown) => String(setCookie).split(";")[0] ?? "";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kelvin-page-"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>Real-Time IoT Dashboard</title>");
});
afterAll(() => rm(folder, { recursive: true }));

test("without a token everybody is let in", () => {
  expect(new Access(undefined).admits({ headers: {} })).toBe(true);
});

test("a header or a cookie admits, and nothing near it does", () => {
  const cookie = pair(access.cookie({ headers: {} }));
  for (const headers of [
    { authorization: `Bearer ${TOKEN}` },
    { authorization: `bearer  ${TOKEN}` },
    { cookie },
    { cookie: `theme=dark; ${cookie}; other="x"` },
    { cookie: `${cookie.split("=")[0]}=of-another-dashboard; ${cookie}` },
  ]) {
    expect(access.admits({ headers })).toBe(true);
  }
  const [name = ""] = cookie.split("=");
  for (const headers of [
    {},
    { authorization: "" },
    { authorization: "Bearer" },
    { authorization: `Basic ${TOKEN}` },
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: `Bearer ${TOKEN.slice(0, -1)}` },
    { authorization: `Bearer ${cookie.slice(name.length + 1)}` },
    { cookie: `${name}=` },
    { cookie: `${name}=${TOKEN}` },
    { cookie: `${cookie}0` },
    { cookie: `x${cookie}` },
    { cookie: pair(new Access(`${TOKEN}2`).cookie({ headers: {} })) },
    { cookie: ";;=;\u0000" },
  ]) {
    expect(access.admits({ headers })).toBe(false);
  }
});

test("the cookie proves the token without holding it, and no script can read it", () => {
  const cookie = access.cookie({ headers: {} });
  expect(cookie).not.toContain(TOKEN);
  expect(cookie).toMatch(/; HttpOnly; SameSite=Lax$/);
  expect(access.cookie({ headers: { "x-forwarded-proto": "https" } })).toMatch(/; Secure$/);
});

test("the page asks for the token, a link with it opens the page, and the address is clean after that", async () => {
  await using server = await startServer({ access }, folder);
  for (const path of [
    "/",
    "/?token=wrong",
    "/?token=",
    "/assets/a.js",
    "/opening.json",
    `/index.html?token=${TOKEN}`,
  ]) {
    const refused = await get(server.url + path);
    expect(refused).toMatchObject({ status: 401, headers: { "cache-control": "no-store" } });
    expect(refused.headers["set-cookie"]).toBeUndefined();
    expect(refused.body).toContain("?token=");
    expect(refused.body).not.toContain("Real-Time IoT Dashboard</title><");
  }
  const login = await get(`${server.url}/?device=machine-01&token=${TOKEN}&unit=K`);
  expect(login).toMatchObject({ status: 303, headers: { location: "./?device=machine-01&unit=K" } });
  expect(login.headers["referrer-policy"]).toBe("no-referrer");
  const cookie = pair(login.headers["set-cookie"]);
  expect(await get(`${server.url}/?device=machine-01&unit=K`, { cookie })).toMatchObject({ status: 200 });
  expect(await get(server.url, { authorization: `Bearer ${TOKEN}` })).toMatchObject({ status: 200 });
});

test("a link never leads to another host", async () => {
  await using server = await startServer({ access }, folder);
  for (const path of ["//evil.example/", "/\\evil.example/", "//evil.example"]) {
    const answer = await get(`${server.url}${path}?token=${TOKEN}`);
    expect(answer.headers.location ?? "./").toMatch(/^\.\/(\?|$)/);
  }
});

test("a socket is let in by cookie, by header or by its handshake, and refused in words without", async () => {
  await using server = await startServer({ access }, folder);
  const watch = { device: null, have: null, spanMs: null };
  const cookie = pair(access.cookie({ headers: {} }));
  for (const page of [
    new TestPage(server.url, { watch }, { extraHeaders: { cookie } }),
    new TestPage(server.url, { watch }, { extraHeaders: { authorization: `Bearer ${TOKEN}` } }),
    new TestPage(server.url, { watch, token: TOKEN }),
    new TestPage(server.url, { watch, token: TOKEN }, { transports: ["polling"] }),
  ]) {
    using admitted = page;
    await until(() => expect(admitted.welcome).toBeDefined());
  }
  for (const auth of [{ watch }, { watch, token: "wrong" }, { watch, token: { length: 28 } }, {}]) {
    using page = new TestPage(server.url, auth);
    expect(String(await page.event("connect_error"))).toContain("?token=");
    expect(page.welcome).toBeUndefined();
  }
});

test("a page opened to the network is warned about without a token, its address told, and the token never", () => {
  const lines: string[] = [];
  const log = createLog({ name: "test", level: "debug", format: "json", write: (line) => lines.push(line) });
  const listening = { log, port: 3000, url: "http://localhost:3000" };
  tellAddresses({ ...listening, host: undefined, access: new Access(undefined) });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain("warn");
  tellAddresses({ ...listening, host: "192.168.7.8", access: new Access(undefined) });
  expect(lines.at(-1)).toMatch(/"warn".*http:\/\/192\.168\.7\.8:3000.*DASHBOARD_TOKEN/);
  tellAddresses({ ...listening, host: "0.0.0.0", access });
  expect(lines.at(-1)).toMatch(/"info".*\?token=<DASHBOARD_TOKEN>/);
  expect(lines.join("")).not.toContain(TOKEN);
});

test("loopback is this machine alone", () => {
  for (const host of [undefined, "localhost", "127.0.0.1", "127.1.2.3", "::1"])
    expect(isLoopback(host)).toBe(true);
  for (const host of ["0.0.0.0", "::", "192.168.1.2", "127.evil.example", "example.com"]) {
    expect(isLoopback(host)).toBe(false);
  }
});

test("a token that could be guessed or could not be sent is refused", () => {
  expect(Settings.parse({ DASHBOARD_TOKEN: TOKEN }).DASHBOARD_TOKEN).toBe(TOKEN);
  for (const token of ["short", `${TOKEN} x`, "ü".repeat(20), "x".repeat(513)]) {
    expect(Settings.safeParse({ DASHBOARD_TOKEN: token }).success).toBe(false);
  }
});
