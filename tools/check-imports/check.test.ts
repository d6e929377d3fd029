import { describe, expect, test } from "vitest";
import { violationsOf } from "./check.ts";
import { cyclesOf } from "./cycles.ts";
import { readModule } from "./module.ts";
import type { Member, Project } from "./project.ts";

const member = (folder: string, name: string, parts: Partial<Member> = {}): Member => ({
  folder,
  name,
  exports: new Map(),
  dependencies: new Set(),
  devDependencies: new Set(["vitest", "kafkajs"]),
  ...parts,
});

const MEMBERS = [
  member("", "kelvin"),
  member("packages/schema", "@kelvin/schema", {
    exports: new Map([
      [".", "packages/schema/src/index.ts"],
      ["./live", "packages/schema/src/live.ts"],
    ]),
    dependencies: new Set(["zod"]),
  }),
  member("packages/streams", "@kelvin/streams", {
    exports: new Map([[".", "packages/streams/src/index.ts"]]),
  }),
  member("packages/embedded-kafka", "@kelvin/embedded-kafka", {
    exports: new Map([[".", "packages/embedded-kafka/src/index.ts"]]),
  }),
  member("services/producer", "@kelvin/producer", { dependencies: new Set(["zod", "express"]) }),
  member("services/dashboard", "@kelvin/dashboard", { devDependencies: new Set(["chart.js"]) }),
];

function project(files: Record<string, string>): Project {
  const modules = Object.entries(files).map(([path, source]) => [path, readModule(path, source)] as const);
  return { modules: new Map(modules), members: MEMBERS };
}

const said = (files: Record<string, string>): string[] =>
  violationsOf(project(files)).map(
    ({ path, line, column, message }) => `${path}:${line}:${column} ${message}`,
  );

describe("who may import whom", () => {
  test.each([
    [
      "packages/streams/src/a.ts",
      'import { sensorTopic } from "@kelvin/schema";',
      "1:29 streams may not import @kelvin/schema",
    ],
    [
      "packages/streams/src/a.ts",
      'import type { T } from "@kelvin/schema";',
      "1:24 streams may not import @kelvin/schema",
    ],
    [
      "packages/streams/src/a.ts",
      'type T = import("@kelvin/schema").T;',
      "1:17 streams may not import @kelvin/schema",
    ],
    [
      "packages/streams/src/a.ts",
      'const s = await import("@kelvin/schema");',
      "1:24 streams may not import @kelvin/schema",
    ],
    [
      "packages/streams/src/a.ts",
      'export * from "@kelvin/schema";',
      "1:15 streams may not import @kelvin/schema",
    ],
    [
      "packages/streams/src/a.ts",
      "\nawait import(name);",
      "2:14 a computed import can't be checked: name the module",
    ],
    [
      "packages/streams/src/a.ts",
      'import "@kelvin/embedded-kafka";',
      "1:8 streams may not import @kelvin/embedded-kafka except for tests",
    ],
    [
      "services/producer/src/a.ts",
      'import "@kelvin/dashboard";',
      '1:8 @kelvin/dashboard does not export "."',
    ],
    [
      "services/producer/src/a.ts",
      'import "../../dashboard/server/b.ts";',
      "producer may not reach into dashboard server",
    ],
    [
      "services/producer/src/a.ts",
      'import "../../../packages/schema/src/index.ts";',
      "producer may not reach into schema",
    ],
    ["services/producer/src/a.ts", 'import "@kelvin/schema/src/topic.ts";', 'not export "./src/topic.ts"'],
    ["services/producer/src/a.ts", 'import "express";', "1:8 producer may not import express"],
    [
      "services/producer/src/a.ts",
      'import "pino";',
      "pino is not among the dependencies of @kelvin/producer",
    ],
    [
      "services/producer/src/a.ts",
      'import "kafkajs";',
      "kafkajs must be in the dependencies of @kelvin/producer",
    ],
    ["services/producer/src/a.ts", 'import "fs";', '1:8 write "node:fs"'],
    [
      "services/dashboard/page/src/a.ts",
      'import { s } from "@kelvin/schema";',
      "@kelvin/schema except for types",
    ],
    [
      "services/dashboard/page/src/a.ts",
      'import "node:fs";',
      "dashboard page also runs in browsers: no node:fs",
    ],
    [
      "services/dashboard/page/src/a.ts",
      'import "../../server/feed.ts";',
      "page may not reach into dashboard server",
    ],
    [
      "services/dashboard/server/a.ts",
      'import "../page/src/b.ts";',
      "server may not reach into dashboard page",
    ],
  ])("%s: %s", (path, source, expected) => {
    expect(said({ [path]: source })).toEqual([expect.stringContaining(expected)]);
  });

  test.each([
    ["packages/streams/src/a.test.ts", 'import "@kelvin/embedded-kafka"; import "vitest"; import "kafkajs";'],
    ["packages/streams/examples/a.ts", 'import "@kelvin/embedded-kafka"; import "@kelvin/streams";'],
    [
      "services/producer/src/a.ts",
      'import "@kelvin/schema"; import "@kelvin/streams"; import "zod"; import "node:fs";',
    ],
    [
      "services/dashboard/page/src/a.ts",
      'import type { T } from "@kelvin/schema"; import "@kelvin/schema/live";',
    ],
    ["services/dashboard/page/src/a.ts", 'import "chart.js/auto"; import "./style.css";'],
    ["services/dashboard/page/test/a.ts", 'import "../../server/web.ts";'],
    [
      "test/a.test.ts",
      'import "@kelvin/embedded-kafka"; import "../tools/kafka/ports.ts"; import "./support/b.ts";',
    ],
  ])("allowed: %s: %s", (path, source) => {
    expect(said({ [path]: source })).toEqual([]);
  });
});

describe("the machine's clock, log and process", () => {
  test.each([
    ["setTimeout(tick, 5);", "1:1 setTimeout"],
    ["const t = { setTimeout };", "1:13 setTimeout"],
    ["const { setTimeout } = clock;", "1:9 setTimeout"],
    ["globalThis.setInterval(tick);", "1:12 setInterval"],
    ['\nif (process.env["A"]) f();', "2:5 process"],
    ["f(console.log);", "1:3 console"],
    ["const now = Date.now();", "1:13 Date.now"],
    ["const now = new Date();", "1:13 new Date()"],
    ["stopAfter(AbortSignal.timeout(5));", "1:11 AbortSignal.timeout"],
    ['import { setTimeout as sleep } from "node:timers/promises";', "1:37 node:timers/promises"],
  ])("refused: %s", (source, expected) => {
    expect(said({ "packages/streams/src/a.ts": source })).toEqual([
      expect.stringContaining(`a.ts:${expected} ties streams to this machine`),
    ]);
  });

  test.each([
    "clock.setTimeout(tick, 5);",
    "interface Clock { setTimeout(run: () => void): void; process: string }",
    "class A { console = 1; setTimeout() {} }",
    "const log = { console: 1 }; f(new Date(0));",
  ])("no use of it: %s", (source) => {
    expect(said({ "packages/streams/src/a.ts": source })).toEqual([]);
  });

  test.each([
    "services/producer/src/main.ts",
    "packages/service-kit/src/a.ts",
    "tools/a.ts",
    "packages/streams/src/a.test.ts",
  ])("allowed in %s", (path) => {
    expect(said({ [path]: "console.log(process.pid, Date.now()); setTimeout(f, 1);" })).toEqual([]);
  });
});

describe("circles", () => {
  test("one through a type, and through a package's door", () => {
    const circle = said({
      "packages/streams/src/a.ts": 'import type { B } from "./b.ts";',
      "packages/streams/src/b.ts": 'import { c } from "./c.ts";',
      "packages/streams/src/c.ts": 'import "./d.ts"; export { a } from "./a.ts";',
      "packages/streams/src/d.ts": "",
    });
    expect(circle).toEqual([
      "packages/streams/src/a.ts:1:24 circular import: " +
        "packages/streams/src/a.ts, packages/streams/src/b.ts, packages/streams/src/c.ts",
    ]);
  });

  test("only nodes that reach one another", () => {
    const graph = { a: "b", b: "ca", c: "d", d: "", e: "e", f: "gd", g: "h", h: "f" };
    const edges = new Map(Object.entries(graph).map(([from, to]) => [from, new Set(to)]));
    expect(cyclesOf(edges)).toEqual([["a", "b"], ["e"], ["f", "g", "h"]]);
  });
});

describe("what a package gives out", () => {
  const DOOR = "packages/streams/src/index.ts";

  test.each([
    ["a type without a word", "export type A = 1;", "a.ts:1:13"],
    ["a constant", "\nexport const A = 1;", "a.ts:2:14"],
    ["a class behind a comment that is none for readers", "// A class.\nexport class A {}", "a.ts:2:14"],
    ["a comment of something else", "/** B. */\nconst b = 1;\nexport function A() {}", "a.ts:3:17"],
    ["another's, passed on", 'export { B as A } from "./b.ts";', "b.ts:1:18"],
    ["all of another", 'export * from "./b.ts";', "b.ts:1:18"],
  ])("refused: %s", (_, source, place) => {
    const files = {
      [DOOR]: 'export { A, type B } from "./a.ts";',
      "packages/streams/src/b.ts": "export interface B {}",
    };
    expect(said({ ...files, "packages/streams/src/a.ts": source })).toEqual([
      expect.stringMatching(new RegExp(`^packages/streams/src/${place} exported [AB] has no doc comment`)),
    ]);
  });

  test.each([
    ["a documented one", "/** A. */\nexport interface A {}"],
    ["a value and a type of one name", "/** A. */\nexport const A = 1;\nexport type A = typeof A;"],
    ["what nobody gives out", "/** A. */\nexport const A = 1;\nexport const inside = 2;"],
  ])("allowed: %s", (_, source) => {
    expect(said({ [DOOR]: 'export { A } from "./a.ts";', "packages/streams/src/a.ts": source })).toEqual([]);
  });

  test("a service's exports are its own affair", () => {
    expect(said({ "services/producer/src/a.ts": "export const a = 1;" })).toEqual([]);
  });
});

test("where the type checker is told to look away", () => {
  const source =
    "const a = b as const;\nconst c = d as string;\nconst e: any = f!;\n// @ts-expect-error no\ng();\n// about @ts-ignore";
  expect(readModule("a.ts", source).escapes.map(({ text, line }) => `${line} ${text}`)).toEqual([
    "2 as",
    "3 any",
    "3 !",
    "4 @ts-expect-error",
  ]);
});
