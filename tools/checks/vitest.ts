/** The tests, by vitest, and what came of them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { failedFiles, NO_REPORT, outcomeOf, type TestOutcome, TestReport, withSecondRun } from "./report.ts";

/** Where more files fail, something is broken, and to run them again tells nothing. */
const FILES_AGAIN_MAX = 6;
const REPORTER = fileURLToPath(new URL("./reporter.ts", import.meta.url));

/**
 * Runs vitest with its own output in this terminal. A file that can't be loaded is a failure, and so is an error that no test
 * caught. Where a few files fail they are run a second time, one at a time: the tests of a live system share two cores with
 * Kafka and Chromium, and a fault of the code fails again. What passed only then is named, so that it is looked at.
 */
export async function runVitest(root: string, options: readonly string[]): Promise<TestOutcome> {
  const first = await runOnce(root, options);
  const failed = failedFiles(first) ?? [];
  if (failed.length === 0 || failed.length > FILES_AGAIN_MAX) return outcomeOf(first);

  const files = failed.map((file) => relative(root, file).replaceAll("\\", "/"));
  console.log(`\nOnce more, one at a time: ${files.join(", ")}`);
  const second = await runOnce(root, [...options.filter(isNoFilter), "--maxWorkers=1", ...files]);
  // What vanished can't be said to pass.
  if (failed.some((file) => !second.files.some((again) => again.file === file))) return outcomeOf(first);
  for (const { file } of second.files.filter(({ isWell }) => isWell)) {
    console.log(`passed only the second time: ${relative(root, file)}`);
  }
  return outcomeOf(withSecondRun(first, second));
}

/** What is neither an option nor its value chooses files. */
const isNoFilter = (word: string, index: number, words: readonly string[]): boolean =>
  word.startsWith("-") || /^(--(project|config|testNamePattern)|-t)$/.test(words[index - 1] ?? "");

async function runOnce(root: string, options: readonly string[]): Promise<TestReport> {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-tests-"));
  try {
    const report = join(folder, "report.json");
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", `--reporter=${REPORTER}`];
    const child = spawn(process.execPath, [vitest, "run", ...reporters, ...options], {
      cwd: root,
      env: { ...process.env, TEST_REPORT: report },
      stdio: ["ignore", "inherit", "inherit"],
      windowsHide: true,
    });
    const [code] = await once(child, "close");
    const text = await readFile(report, "utf8").catch(() => undefined);
    if (text === undefined) return NO_REPORT;
    const told = TestReport.parse(JSON.parse(text));
    const isTold = code === 0 || failedFiles(told)?.length !== 0;
    return isTold ? told : { ...told, uncaught: [{ message: `vitest ended with code ${code}.` }] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
