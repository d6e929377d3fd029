import { expect, test } from "vitest";
import { judgeOrigin } from "./origins.ts";

const allowed = ["https://dashboard.example.com"];
const judge = (host: string | undefined, origin?: string, extra = {}) =>
  judgeOrigin(
    {
      headers: {
        ...(host === undefined ? {} : { host }),
        ...(origin === undefined ? {} : { origin }),
        ...extra,
      },
    },
    allowed,
  ).ok;

test("a page that this server gave out itself may connect", () => {
  expect(judge("localhost:3000", "http://localhost:3000")).toBe(true);
  expect(judge("127.0.0.1:3000", "http://127.0.0.1:3000")).toBe(true);
  expect(judge("[::1]:3000", "http://[::1]:3000")).toBe(true);
  expect(judge("192.168.1.20:3000", "http://192.168.1.20:3000")).toBe(true);
  expect(judge("localhost", "http://localhost")).toBe(true);
  expect(judge("localhost:3000")).toBe(true);
});

test("a page of another origin may not, be it another host, port or no origin at all", () => {
  expect(judge("localhost:3000", "http://evil.example")).toBe(false);
  expect(judge("localhost:3000", "http://localhost:3001")).toBe(false);
  expect(judge("localhost:3000", "http://127.0.0.1:3000")).toBe(false);
  expect(judge("localhost:3000", "null")).toBe(false);
  expect(judge("localhost:3000", undefined, { "sec-fetch-site": "cross-site" })).toBe(false);
  expect(judge(undefined, "http://localhost:3000")).toBe(false);
});

test("a foreign name that was pointed at this machine is no own origin", () => {
  expect(judge("rebound.example:3000", "http://rebound.example:3000")).toBe(false);
  expect(judge("rebound.example:3000")).toBe(false);
  expect(judge("localhost.evil.example", "http://localhost.evil.example")).toBe(false);
});

test("origins that a setting names may connect, behind a proxy that rewrites the host too", () => {
  expect(judge("dashboard.example.com", "https://dashboard.example.com")).toBe(true);
  expect(judge("localhost:3000", "https://dashboard.example.com")).toBe(true);
  expect(judge("dashboard.example.com")).toBe(true);
  expect(judge("localhost:3000", "http://dashboard.example.com")).toBe(false);
});

test("the refusal says what to do", () => {
  expect(judgeOrigin({ headers: { host: "x.example" } }, [])).toEqual({
    ok: false,
    why: '"x.example" is not a known name of this server. Set ALLOWED_ORIGINS=<origin,...> to allow more addresses.',
  });
});
