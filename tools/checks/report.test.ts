import { describe, expect, test } from "vitest";
import { failedFiles, outcomeOf, type TestReport, withSecondRun } from "./report.ts";

const file = (name: string, ...statuses: string[]) => ({
  file: name,
  isWell: !statuses.includes("failed"),
  tests: statuses.map((status, index) => ({ path: ["a", `test ${index}`], status })),
});
const report = (...files: TestReport["files"]): TestReport => ({ files, uncaught: [] });

describe("the outcome of a run", () => {
  test("what passed, failed and was skipped is counted, and the skipped are named", () => {
    const told = report(file("/a.test.ts", "passed", "failed", "skipped", "passed", "todo"));
    expect(outcomeOf(told)).toMatchObject({
      passed: 2,
      failed: 1,
      skipped: [
        { file: "/a.test.ts", name: "a test 2" },
        { file: "/a.test.ts", name: "a test 4" },
      ],
    });
  });

  test("each test is told by where it stands", () => {
    expect(outcomeOf(report(file("/a.test.ts", "passed"))).tests).toEqual([
      { file: "/a.test.ts", path: ["a", "test 0"], status: "passed" },
    ]);
  });

  test("a file that did not load, and an error that no test caught, are failures", () => {
    const told = report({ ...file("/a.test.ts"), isWell: false }, file("/b.test.ts", "passed"));
    expect(outcomeOf(told)).toMatchObject({ passed: 1, failed: 1 });
    expect(outcomeOf({ ...told, uncaught: [{ message: "it broke" }] })).toMatchObject({ failed: 2 });
  });
});

describe("what is run a second time", () => {
  const first: TestReport = {
    files: [file("/a", "passed", "failed"), file("/b", "passed"), file("/c", "passed")],
    uncaught: [{ message: "it broke", file: "/c" }],
  };

  test("is each file in which something failed", () => {
    expect(failedFiles(first)).toEqual(["/a", "/c"]);
  });

  test("is nothing where an error can be of any file", () => {
    expect(failedFiles({ ...first, uncaught: [{ message: "it broke" }] })).toBeUndefined();
  });

  test("counts in place of the first time, whatever came of it", () => {
    const well = report(file("/a", "passed", "passed"), file("/c", "passed"));
    expect(outcomeOf(withSecondRun(first, well))).toMatchObject({ passed: 4, failed: 0 });
    const ill = report(file("/a", "failed", "failed"), file("/c", "passed"));
    expect(outcomeOf(withSecondRun(first, ill))).toMatchObject({ passed: 2, failed: 2 });
  });
});
