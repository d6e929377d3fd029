/**
 * Vitest's reporter that writes what came of each file to where TEST_REPORT says: vitest's own JSON does not tell in which file
 * an error was that no test caught.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { TestReport } from "./report.ts";

export default class FileReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    uncaught: Parameters<Required<Reporter>["onTestRunEnd"]>[1],
  ): void {
    const path = process.env["TEST_REPORT"];
    if (path === undefined) return;
    const report: TestReport = {
      files: modules.map((module) => ({
        file: module.moduleId,
        isWell: module.ok(),
        tests: [...module.children.allTests()].map((test) => ({
          path: pathOf(test),
          status: test.result().state,
        })),
      })),
      uncaught: uncaught.map(({ message, VITEST_TEST_PATH: file }) => ({
        message: String(message),
        ...(typeof file === "string" ? { file } : {}),
      })),
    };
    writeFileSync(path, JSON.stringify(report));
  }
}

/** Titles from the outside in. */
function pathOf(test: TestCase): string[] {
  const path = [test.name];
  for (let of = test.parent; of.type !== "module"; of = of.parent) path.unshift(of.name);
  return path;
}
