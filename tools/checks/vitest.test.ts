import { expect, test } from "vitest";
import { outcomeOf } from "./vitest.ts";

const report = (...statuses: string[]) => ({
  testResults: [
    {
      name: "/a.test.ts",
      status: "passed",
      assertionResults: statuses.map((status, index) => ({
        fullName: `a test ${index}`,
        ancestorTitles: ["a"],
        title: `test ${index}`,
        status,
      })),
    },
  ],
});

test("what passed, failed and was skipped is counted, and the skipped are named", () => {
  expect(outcomeOf(report("passed", "failed", "skipped", "passed", "todo"), false)).toMatchObject({
    passed: 2,
    failed: 1,
    skipped: [
      { file: "/a.test.ts", name: "a test 2" },
      { file: "/a.test.ts", name: "a test 4" },
    ],
  });
});

test("each test is told by where it stands", () => {
  expect(outcomeOf(report("passed"), true).tests).toEqual([
    { file: "/a.test.ts", path: ["a", "test 0"], status: "passed" },
  ]);
});

test("a run that went wrong has at least one failure, though no test failed: a file that did not load", () => {
  expect(outcomeOf(report("passed"), false)).toMatchObject({ passed: 1, failed: 1 });
  expect(outcomeOf({ testResults: [] }, false)).toMatchObject({ passed: 0, failed: 1 });
});
