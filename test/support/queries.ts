/** What the shipped rules, dashboard and autoscaling ask Prometheus for. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}${path}`, "utf8");

export interface DeployedQuery {
  /** Whose: the panel's title, the alert's name, or the manifest's file. */
  readonly of: string;
  readonly kind: "panel" | "alert" | "autoscaling";
  readonly query: string;
}

const Rules = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});
const Panels = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});

export function deployedQueries(): DeployedQuery[] {
  const { groups } = Rules.parse(parse(read("deploy/monitoring/alerts.yml")));
  const { panels } = Panels.parse(JSON.parse(read("deploy/monitoring/grafana/dashboards/kelvin.json")));
  const autoscaling = "deploy/kubernetes/60-autoscaling.yaml";
  const [, metricsQuery = ""] = /^# +metricsQuery: (.*)$/m.exec(read(autoscaling)) ?? [];
  return [
    ...panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ of: title, kind: "panel" as const, query: expr })),
    ),
    ...groups
      .flatMap(({ rules }) => rules)
      .map(({ alert, expr }) => ({ of: alert, kind: "alert" as const, query: expr })),
    { of: autoscaling, kind: "autoscaling" as const, query: metricsQuery },
  ];
}
