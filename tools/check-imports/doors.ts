import { posix } from "node:path";
import type { Found } from "./positions.ts";
import type { Project } from "./project.ts";

export interface Undocumented extends Found {
  readonly path: string;
}

/** What a package gives out without a word about it: every name at its doors, at the place where it is declared. */
export function undocumentedNames({ modules, members }: Project): Undocumented[] {
  const named = new Map<string, Undocumented>();

  const look = (path: string, name: string | undefined, passed: readonly string[]): void => {
    const module = modules.get(path);
    if (module === undefined || passed.includes(path)) return;
    for (const [declared, found] of module.declarations) {
      const isMeant = name === undefined || name === declared;
      if (isMeant && !found.isDocumented) named.set(`${path}:${declared}`, { ...found, path });
    }
    for (const { from, name: original, text } of module.reExports) {
      if (name !== undefined && text !== "*" && text !== name) continue;
      look(posix.join(posix.dirname(path), from), original ?? name, [...passed, path]);
    }
  };

  for (const { folder, exports } of members) {
    if (!folder.startsWith("packages/")) continue;
    for (const door of exports.values()) look(door, undefined, []);
  }
  return [...named.values()];
}
