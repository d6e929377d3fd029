/** `pnpm imports`: holds ARCHITECTURE.md's "Who may import whom", documented doors, and few looks away from the type checker. */
import { fileURLToPath } from "node:url";
import { violationsOf } from "./check-imports/check.ts";
import { type Project, readProject } from "./check-imports/project.ts";
import { isTest, TYPE_ESCAPES_PER_1000_LINES_MAX } from "./check-imports/rules.ts";

const project = await readProject(fileURLToPath(new URL("..", import.meta.url)));
const violations = violationsOf(project);
for (const { path, line, column, message } of violations)
  console.error(`${path}:${line}:${column} ${message}`);

const escapes = escapesOf(project);
const perThousandLines = (1000 * escapes.places.length) / Math.max(escapes.lines, 1);
const tooMany = perThousandLines > TYPE_ESCAPES_PER_1000_LINES_MAX;
if (tooMany || process.argv.includes("--escapes")) for (const place of escapes.places) console.error(place);

console.log(
  `${project.modules.size} files: ${violations.length} imports or uses against the rules; ` +
    `${perThousandLines.toFixed(1)} type escapes per 1,000 lines of sources (at most ${TYPE_ESCAPES_PER_1000_LINES_MAX}).`,
);
if (violations.length > 0 || tooMany) process.exitCode = 1;

function escapesOf({ modules }: Project): { places: string[]; lines: number } {
  const sources = [...modules].filter(([path]) => !isTest(path));
  return {
    places: sources.flatMap(([path, { escapes: found }]) =>
      found.map(({ text, line, column }) => `${path}:${line}:${column} type escape: ${text}`),
    ),
    lines: sources.reduce((sum, [, { lines }]) => sum + lines, 0),
  };
}
