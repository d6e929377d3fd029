/** Manifests, workflows, scripts and rules, each judged by the tool that knows its kind. */
import { globSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isMissing, ROOT, run } from "./tool.ts";

const PYTHON = process.env["PYTHON"] ?? "python3";
const MONITORING = "deploy/monitoring";

describe.skipIf(isMissing(PYTHON, "-m", "kubernetes_validate", "--version"))(
  "Kubernetes (skipped without Python's kubernetes-validate)",
  () => {
    const files = globSync("deploy/kubernetes/*.yaml", { cwd: ROOT }).toSorted();

    test("every manifest fits the schemas of Kubernetes 1.37, and says nothing that they don't know", async () => {
      const said = await run(PYTHON, ["-m", "kubernetes_validate", "--strict", ...files]);
      for (const file of files) expect(said).toMatch(new RegExp(`${file} passed .* version 1\\.37`));
    });
  },
);

test.skipIf(isMissing("actionlint", "-version"))(
  "GitHub's workflows are sound, their scripts too (skipped without actionlint)",
  () => run("actionlint", []),
);

test.skipIf(isMissing("shellcheck", "--version"))(".ci/run is sound bash (skipped without shellcheck)", () =>
  run("shellcheck", [".ci/run"]),
);

describe.skipIf(isMissing("promtool", "--version"))("Prometheus (skipped without promtool)", () => {
  test("takes configuration and rules", async () => {
    expect(await run("promtool", ["check", "config", "prometheus.yml"], MONITORING)).toMatch(
      /\d+ rules found/,
    );
  });

  test("wakes somebody for each trouble, after the time that is said, and for nothing else", () =>
    run("promtool", ["test", "rules", "alerts.test.yml"], MONITORING));
});
