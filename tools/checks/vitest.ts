/** The tests, by vitest, and what came of them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { Outcome } from "./step.ts";

export interface TestOutcome extends Outcome {
  skipped: { file: string; name: string }[];
  tests: TestResult[];
}

export interface TestResult {
  readonly file: string;
  /** Titles of what it is in, from the outside in, and its own. */
  readonly path: readonly string[];
  /** "passed", "failed", or another word for one that did not run. */
  readonly status: string;
}

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
        }),
      ),
    }),
  ),
});

/** Runs vitest with its own output in this terminal. A file that can't be loaded is a failure. */
export async function runVitest(root: string, filters: readonly string[]): Promise<TestOutcome> {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-tests-"));
  try {
    const report = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const child = spawn(process.execPath, [vitest, "run", ...reporters, ...filters], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      windowsHide: true,
    });
    const [code] = await once(child, "close");
    const text = await readFile(report, "utf8").catch(() => '{"testResults":[]}');
    return outcomeOf(Report.parse(JSON.parse(text)), code === 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function outcomeOf({ testResults }: z.infer<typeof Report>, isWell: boolean): TestOutcome {
  const tests = testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults.map(({ fullName, ancestorTitles, title, status }) => ({
      file,
      name: fullName,
      path: [...ancestorTitles, title],
      status,
    })),
  );
  const failed = tests.filter(({ status }) => status === "failed").length;
  const passed = tests.filter(({ status }) => status === "passed").length;
  const skipped = tests.filter(({ status }) => status !== "failed" && status !== "passed");
  return {
    passed,
    // vitest may be unhappy for another reason than a test: a file that does not load, an error nobody caught.
    failed: isWell ? failed : Math.max(1, failed),
    skipped: skipped.map(({ file, name }) => ({ file, name })),
    tests: tests.map(({ file, path, status }) => ({ file, path, status })),
  };
}
