/** The doors of the package: every name that it gives out says what it is. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test.each(["index.ts", "testing.ts"])("every name of %s has a doc comment", (door) => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const exports = [...read(door).matchAll(/export (?:type )?\{([^}]*)\} from "(\.\/[^"]+)"/g)];
  const names = exports.flatMap(([, list = "", path = ""]) =>
    list
      .split(",")
      .map((name) => name.replace(/^\s*type /, "").trim())
      .filter((name) => name !== "")
      .map((name) => ({ name, path })),
  );
  const isDocumented = ({ name, path }: { name: string; path: string }) =>
    new RegExp(`\\*/\\nexport (async )?(const|function|class|interface|type) ${name}\\b`).test(read(path));
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((each) => !isDocumented(each))).toEqual([]);
});
