import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@kelvin/test-kit";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { freePorts } from "../../tools/kafka/ports.ts";
import { ROOT } from "./tool.ts";

const SHIPPED = join(ROOT, "deploy/monitoring");

const Configuration = z.looseObject({
  scrape_configs: z.array(
    z.looseObject({ job_name: z.string(), dns_sd_configs: z.array(z.unknown()).length(1) }),
  ),
});
const Answer = z.object({ data: z.object({ result: z.unknown() }) });
/** `[time, value]`; Prometheus writes numbers as text. */
const Vector = z.array(z.object({ value: z.tuple([z.number(), z.string()]) }));
const Alerts = z.object({
  data: z.object({
    alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })),
  }),
});
const Rules = z.object({
  data: z.object({
    groups: z.array(z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) })),
  }),
});

export interface Prometheus extends AsyncDisposable {
  /** What the query gives now, without what is no number. */
  valuesOf(query: string): Promise<number[]>;
  /** Names of the alerts that fire. */
  firing(): Promise<string[]>;
  /** `ok`, `err` or `unknown`, by the rule's name. */
  rules(): Promise<Map<string, string>>;
}

/**
 * Starts Prometheus with the shipped configuration and rules. Only where the services are is another's matter: the names
 * of compose's network become these addresses.
 *
 * @param targets `host:port` by the job's name; every job of the configuration must have some.
 */
export async function startPrometheus(
  targets: Readonly<Record<string, readonly string[]>>,
): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), "kelvin-prometheus-"));
  const shipped = Configuration.parse(parse(await readFile(join(SHIPPED, "prometheus.yml"), "utf8")));
  const scrape_configs = shipped.scrape_configs.map(({ dns_sd_configs: _, ...job }) => ({
    ...job,
    static_configs: [{ targets: z.array(z.string()).min(1).parse(targets[job.job_name]) }],
  }));
  await writeFile(join(folder, "prometheus.yml"), stringify({ ...shipped, scrape_configs }));
  await copyFile(join(SHIPPED, "alerts.yml"), join(folder, "alerts.yml"));
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const files = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
  const child = spawn("prometheus", [...files, `--web.listen-address=${address}`], { stdio: "ignore" });
  const ask = async (path: string): Promise<unknown> => (await fetch(`http://${address}${path}`)).json();
  const isReady = async () => (await fetch(`http://${address}/-/ready`)).ok;
  await waitFor("Prometheus", isReady, { timeoutMs: 60_000 });
  return {
    async valuesOf(query) {
      const { data } = Answer.parse(await ask(`/api/v1/query?query=${encodeURIComponent(query)}`));
      return Vector.parse(data.result)
        .map(({ value: [, text] }) => Number(text))
        .filter(Number.isFinite);
    },
    async firing() {
      const { data } = Alerts.parse(await ask("/api/v1/alerts"));
      return data.alerts.flatMap(({ labels, state }) =>
        state === "firing" ? [labels["alertname"] ?? ""] : [],
      );
    },
    async rules() {
      const { data } = Rules.parse(await ask("/api/v1/rules"));
      return new Map(data.groups.flatMap(({ rules }) => rules.map(({ name, health }) => [name, health])));
    },
    async [Symbol.asyncDispose]() {
      await end(child);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}
