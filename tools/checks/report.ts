/** What came of a run of tests, as the reporter writes it and as it is judged. */
import * as z from "zod";
import type { Outcome } from "./step.ts";

export const TestReport = z.object({
  files: z.array(
    z.object({
      file: z.string(),
      /** Loaded, and nothing in it failed. */
      isWell: z.boolean(),
      /** With titles from the outside in, and "passed", "failed", or another word for one that did not run. */
      tests: z.array(z.object({ path: z.array(z.string()), status: z.string() })),
    }),
  ),
  /** Errors that no test caught, and in which file, where that is known. */
  uncaught: z.array(z.object({ message: z.string(), file: z.string().optional() })),
});
export type TestReport = z.infer<typeof TestReport>;

/** Of a run that wrote no report. */
export const NO_REPORT: TestReport = {
  files: [],
  uncaught: [{ message: "The tests ended without a report." }],
};

export interface TestResult {
  readonly file: string;
  /** Titles of what it is in, from the outside in, and its own. */
  readonly path: readonly string[];
  /** "passed", "failed", or another word for one that did not run. */
  readonly status: string;
}

export interface TestOutcome extends Outcome {
  skipped: { file: string; name: string }[];
  tests: TestResult[];
}

export function outcomeOf({ files, uncaught }: TestReport): TestOutcome {
  const tests = files.flatMap(({ file, tests }) => tests.map((test) => ({ file, ...test })));
  const isFailed = ({ status }: TestResult) => status === "failed";
  // A file may be unwell though none of its tests failed: it does not load, or a hook threw.
  const unwell = files.filter(
    ({ isWell, tests }) => !isWell && !tests.some((test) => test.status === "failed"),
  );
  return {
    passed: tests.filter(({ status }) => status === "passed").length,
    failed: tests.filter(isFailed).length + unwell.length + uncaught.length,
    skipped: tests
      .filter(({ status }) => status !== "failed" && status !== "passed")
      .map(({ file, path }) => ({ file, name: path.join(" ") })),
    tests,
  };
}

/** Files that failed, or undefined where it can't be said which they all are. */
export function failedFiles({ files, uncaught }: TestReport): string[] | undefined {
  const failed = new Set(files.filter(({ isWell }) => !isWell).map(({ file }) => file));
  for (const { file } of uncaught) {
    if (file === undefined) return undefined;
    failed.add(file);
  }
  return [...failed];
}

/** The first run, with what was run again in place of what it was. */
export function withSecondRun(first: TestReport, second: TestReport): TestReport {
  const again = new Set(second.files.map(({ file }) => file));
  return {
    files: [...first.files.filter(({ file }) => !again.has(file)), ...second.files],
    uncaught: [
      ...first.uncaught.filter(({ file }) => file === undefined || !again.has(file)),
      ...second.uncaught,
    ],
  };
}
