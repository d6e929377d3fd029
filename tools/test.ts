/**
 * `npm test`: types, lint, import rules, the page, and every test that this machine can run. What it can't run is named;
 * with CI=true it fails instead. The last line is "N passed, N failed, N skipped".
 */
import { relative } from "node:path";
import { runChecks } from "./checks/all.ts";
import { type Outcome, runStep } from "./checks/step.ts";
import { runVitest } from "./checks/vitest.ts";
import { buildPageWhenNeeded } from "./page/build.ts";
import { runTool } from "./supervise/errors.ts";
import { root } from "./system/layout.ts";

await runTool(async () => {
  const filters = process.argv.slice(2);
  const outcomes: Outcome[] = filters.length === 0 ? [...(await runChecks(root)), await pageIsBuilt()] : [];
  const tests = await runVitest(root, filters);
  outcomes.push(tests);

  const sum = (count: (outcome: Outcome) => number) =>
    outcomes.reduce((all, outcome) => all + count(outcome), 0);
  const skipped = tests.skipped.map(({ file, name }) => `skipped: ${relative(root, file)}: ${name}`);
  for (const line of skipped) console.log(line);
  const isStrict = process.env.CI === "true";
  if (isStrict && skipped.length > 0) console.log("CI=true: a skipped test is a failure.");
  const failed = sum((outcome) => outcome.failed);
  console.log(`${sum((outcome) => outcome.passed)} passed, ${failed} failed, ${skipped.length} skipped`);
  return failed > 0 || (isStrict && skipped.length > 0) ? 1 : 0;
});

function pageIsBuilt(): Promise<Outcome> {
  return runStep("the page is built", () => buildPageWhenNeeded(root, () => {}), root);
}
