/** What is deployed beside the services names what they have: metrics, partitions, files. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVICE_NODE_OPTIONS } from "@kelvin/service-kit";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Names in the text, and those of the library's numbers, whose prefix and `_total` are put on as they are told. */
function metricsThatExist(): Set<string> {
  const sources = globSync(["services/*/{src,server}/**/*.ts", "packages/*/src/**/*.ts"], { cwd: ROOT });
  const named = sources.flatMap((path) => read(path).match(/\bkelvin_[a-z_]+\b/g) ?? []);
  const numbers = [...read("packages/streams/src/runtime/numbers.ts").matchAll(/^ {2}([a-z_]+): "/gm)];
  return new Set([...named, ...numbers.flatMap(([, name]) => [`kelvin_${name}`, `kelvin_${name}_total`])]);
}

test.each([
  "deploy/monitoring/alerts.yml",
  "deploy/monitoring/grafana/dashboards/kelvin.json",
  "deploy/kubernetes/60-autoscaling.yaml",
  "docs/operations.md",
])("%s names metrics that are told", (path) => {
  const known = metricsThatExist();
  const named = new Set(read(path).match(/\bkelvin_[a-z_]+\b/g));
  expect(named.size).toBeGreaterThan(0);
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
});

test("the dashboard's panels don't lie over each other, and each asks something", () => {
  const Panel = z.object({
    title: z.string().min(1),
    gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
    targets: z.array(z.object({ expr: z.string().min(1) })).min(1),
  });
  const { panels } = z
    .object({ uid: z.literal("kelvin"), panels: z.array(Panel).min(1) })
    .parse(JSON.parse(read("deploy/monitoring/grafana/dashboards/kelvin.json")));
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

test("every YAML file is one, without a key twice", () => {
  const files = [
    ...globSync("deploy/**/*.{yml,yaml}", { cwd: ROOT }),
    "docker-compose.yml",
    ".github/dependabot.yml",
  ];
  expect(files.length).toBeGreaterThan(9);
  for (const file of files) {
    const errors = parseAllDocuments(read(file), { merge: true }).flatMap((document) => document.errors);
    expect(errors, file).toEqual([]);
  }
});

test.each(Object.entries(SERVICE_NODE_OPTIONS))(
  "image and start script of %s run it with %s",
  (name, options) => {
    const images = [...read("Dockerfile").matchAll(/^CMD (\[.*\])$/gm)].map(([, command = ""]) =>
      z.array(z.string()).parse(JSON.parse(command)),
    );
    const image = images.find((command) => command.at(-1)?.startsWith(`services/${name}/`));
    expect(image?.slice(0, -1)).toEqual(["node", ...options]);
    const Package = z.object({ scripts: z.object({ start: z.string() }) });
    const { scripts } = Package.parse(JSON.parse(read(`services/${name}/package.json`)));
    expect(scripts.start.split(" ").slice(0, -1)).toEqual(["node", ...options]);
  },
);

test("no more processors are scaled to than sensor has partitions", () => {
  const { spec } = z
    .object({ spec: z.object({ maxReplicas: z.number() }) })
    .parse(parse(read("deploy/kubernetes/60-autoscaling.yaml")));
  const [settings] = parseAllDocuments(read("deploy/kubernetes/20-settings.yaml"));
  const { data } = z.object({ data: z.record(z.string(), z.string()) }).parse(settings?.toJS());
  expect(data.KAFKA_TOPIC_PARTITIONS).toBe(String(spec.maxReplicas));
});

test("all that docker-compose.yml publishes is on the loopback, all is limited, and no password has a default", () => {
  const Service = z.object({
    ports: z.array(z.string()).default([]),
    mem_limit: z.string(),
    restart: z.string(),
  });
  const { services } = z
    .object({ services: z.record(z.string(), Service) })
    .parse(parse(read("docker-compose.yml"), { merge: true }));
  const ports = Object.values(services).flatMap((service) => service.ports);
  expect(ports.length).toBeGreaterThan(0);
  expect(ports.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
  expect(read("docker-compose.yml")).toMatch(/GF_SECURITY_ADMIN_PASSWORD: \$\{GRAFANA_PASSWORD:-\}/);
});

test("every variable that the manifests and docker-compose.yml set is one that the README explains", () => {
  const explained = new Set([...read("README.md").matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name));
  const Variables = z.record(z.string(), z.unknown());
  const { services } = z
    .object({ services: z.record(z.string(), z.object({ environment: Variables })) })
    .parse({
      services: Object.fromEntries(
        Object.entries(parse(read("docker-compose.yml"), { merge: true }).services).filter(([name]) =>
          ["producer", "replay", "stream-processor", "dashboard"].includes(name),
        ),
      ),
    });
  const Env = z.array(z.object({ name: z.string() }));
  const manifests = globSync("deploy/kubernetes/*.yaml", { cwd: ROOT }).flatMap((path) =>
    parseAllDocuments(read(path)).map((document) => document.toJS()),
  );
  const named = [
    ...Object.values(services).flatMap(({ environment }) => Object.keys(environment)),
    ...manifests
      .filter(({ kind }) => kind === "Deployment")
      .flatMap(({ spec }) => Env.parse(spec.template.spec.containers[0].env).map(({ name }) => name)),
    ...manifests.filter(({ kind }) => kind === "ConfigMap").flatMap(({ data }) => Object.keys(data)),
  ];
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !explained.has(name))).toEqual([]);
});
