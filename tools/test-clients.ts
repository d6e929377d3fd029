/**
 * `npm run test:clients`: unmodified clients of four languages on the embedded broker, or with KAFKA_BROKERS on any Kafka.
 * What this machine has not is skipped, with the reason; with CI=true that is a failure. Then two tables, and the last line
 * is "N passed, N failed, N skipped".
 */
import { basename } from "node:path";
import type { TestResult } from "./checks/report.ts";
import { runVitest } from "./checks/vitest.ts";
import { runTool } from "./supervise/errors.ts";
import { root } from "./system/layout.ts";

const FEATURES = [
  "admin",
  "none",
  "gzip",
  "snappy",
  "lz4",
  "zstd",
  "group",
  "times",
  "transactions",
  "exactly once",
];

await runTool(async () => {
  const outcome = await runVitest(root, [
    "--config",
    "test/vitest.clients.config.ts",
    ...process.argv.slice(2),
  ]);
  const isStrict = process.env.CI === "true";
  for (const { name } of outcome.skipped) console.log(`skipped: ${name}`);
  if (isStrict && outcome.skipped.length > 0) console.log("CI=true: a skipped test is a failure.");
  for (const table of tablesOf(outcome.tests)) console.log(`\n${table}`);
  console.log(`\n${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped.length} skipped`);
  return outcome.failed > 0 || (isStrict && outcome.skipped.length > 0) ? 1 : 0;
});

/** Clients and features, and who reads what whom wrote. "-": the client has no such thing. */
function tablesOf(tests: readonly TestResult[]): string[] {
  const results = new Map<string, string>();
  const clients = new Set<string>();
  for (const { file, path, status } of tests) {
    const [group = "", title = ""] = path.map((part) => part.replace(/ \(skipped: .*$/, ""));
    const word = status === "passed" ? "ok" : status === "failed" ? "FAILED" : "skipped";
    if (basename(file) === "features.test.ts") {
      clients.add(group);
      results.set(`${group} ${title}`, word);
    }
    const [writes, reads] = [/^writes (\w+)$/.exec(group), /^(.+) reads$/.exec(group)];
    if (writes !== null) results.set(`${title} ${writes[1]}`, word);
    if (reads !== null) results.set(`${reads[1]} reads ${title}`, word);
  }
  const names = [...clients];
  if (names.length === 0) return [];
  const features = names.map((name) => [
    name,
    ...FEATURES.map((feature) => results.get(`${name} ${feature}`) ?? "-"),
  ]);
  const cross = names.map((writer) => [
    writer,
    ...names.map((reader) => results.get(`${reader} reads ${writer}`) ?? "-"),
  ]);
  return [
    aligned([["client", ...FEATURES], ...features]),
    aligned([["written by \\ read by", ...names], ...cross]),
  ];
}

function aligned(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(width(column)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
