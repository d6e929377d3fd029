/** What the documents say of the code is true: programs, files, commands, settings. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const DOCUMENTS = globSync(["*.md", "docs/**/*.md", "{packages,services}/*/README.md"], { cwd: ROOT }).map(
  (path) => path.replaceAll("\\", "/"),
);
const PROGRAMS = globSync("docs/tutorial/[0-9]-*.ts", { cwd: ROOT }).map((path) =>
  path.replaceAll("\\", "/"),
);

test("six steps of the tutorial have a program", () => {
  expect(PROGRAMS).toHaveLength(6);
});

test.each(PROGRAMS)("%s is shown as it stands", (program) => {
  const document = read(program.replace(/\.ts$/, ".md"));
  const blocks = [...document.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  expect(blocks).toEqual([read(program)]);
});

test.each(DOCUMENTS)("%s points to files that are there", (path) => {
  const targets = [...read(path).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
    .map(([, link, source]) => link ?? source ?? "")
    .filter((target) => !/^(https?:|#)/.test(target))
    .map((target) => target.replace(/#.*$/, ""));
  expect(targets.filter((target) => !existsSync(join(ROOT, dirname(path), target)))).toEqual([]);
});

test.each(DOCUMENTS)("%s names commands that are there", (path) => {
  const Manifest = z.object({ scripts: z.record(z.string(), z.string()) });
  const { scripts } = Manifest.parse(JSON.parse(read("package.json")));
  const named = [...read(path).matchAll(/\bnpm run (?:--silent )?([a-z][a-z:-]*)/g)].map(([, name]) => name);
  expect(named.filter((name) => !Object.hasOwn(scripts, name ?? ""))).toEqual([]);
});

describe("the README's tables of settings", () => {
  test.each([
    ["All services", ["packages/service-kit/src/service.ts", "packages/service-kit/src/kafka.ts"]],
    ["Producer", ["services/producer/src/config.ts"]],
    ["Stream processor", ["services/stream-processor/src/config.ts"]],
    ["Dashboard", ["services/dashboard/server/config.ts"]],
  ])("%s: every variable, with its default", (title, sources) => {
    const told = settingsTold(title);
    const real = new Map(sources.flatMap((source) => settingsIn(read(source))));
    expect([...told.keys()].sort()).toEqual([...real.keys()].sort());
    for (const [name, fallback] of real)
      if (fallback !== undefined) expect(told.get(name), name).toBe(fallback);
  });
});

/** The rows of the table under a heading: variable and default. */
function settingsTold(title: string): Map<string, string> {
  const [, section = ""] = read("README.md").split(`\n### ${title}\n`);
  const [table = ""] = section.split("\n#");
  return new Map(
    [...table.matchAll(/^\| `([A-Z_]+)` \| (.*?) \|/gm)].map(([, name = "", fallback = ""]) => [
      name,
      fallback.replaceAll("`", ""),
    ]),
  );
}

/** The variables of a schema in a source, and their defaults where they are a number or a text. */
function settingsIn(source: string): [string, string | undefined][] {
  return source
    .split(/^ {2,4}(?=[A-Z][A-Z_]+: )/m)
    .slice(1)
    .map((definition) => {
      const [name = ""] = definition.split(":");
      const fallback = /\.default\(\[?("[^"]*"|[\d._]+|true|false)\]?\)/.exec(definition)?.[1];
      return [name, fallback?.replaceAll(/["_]/g, "")];
    });
}
