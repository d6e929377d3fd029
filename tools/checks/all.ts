/** What is held without running the code: types, lint, import rules. Each counts as one test. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { type Outcome, runStep } from "./step.ts";

const TSCONFIGS = ["tsconfig.json", "{packages,services}/**/tsconfig.json"];

export async function runChecks(root: string): Promise<Outcome[]> {
  const projects = globSync(TSCONFIGS, { cwd: root, exclude: (name) => name === "node_modules" }).toSorted();
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
  const outcomes: Outcome[] = [];
  for (const project of projects) {
    outcomes.push(await runStep(`types: ${project}`, [tsc, "--project", join(root, project)], root));
  }
  outcomes.push(await runStep("lint", [biome, "check", "--error-on-warnings", "."], root));
  outcomes.push(await runStep("import rules", [join(root, "tools", "check-imports.ts")], root));
  return outcomes;
}
