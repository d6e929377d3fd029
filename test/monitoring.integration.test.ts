/** What the running services tell at /metrics, against what alert rules, dashboard and autoscaling ask for. */
import { type RunningService, waitFor } from "@kelvin/test-kit";
import { expect, test } from "vitest";
import { DASHBOARD, installation, PROCESSOR, PRODUCER } from "./support/index.ts";
import { deployedQueries } from "./support/queries.ts";

/** Told by pipelines that keep something in stores. */
const OF_STORES = /\bkelvin_(restore|store)_/;
/** Those that Prometheus adds by itself. */
const OF_THE_TARGET = new Set(["job", "instance"]);

test("every metric that rules, dashboard and autoscaling name is told from the start, with the labels they go by", async () => {
  await using plant = await installation();
  await using dashboard = plant.start(DASHBOARD);
  await using processor = plant.start(PROCESSOR);
  await using producer = plant.start(PRODUCER);
  const services = [dashboard, processor, producer];
  await Promise.all(services.map((service) => service.ready()));

  const queries = deployedQueries().flatMap(({ query }) => (OF_STORES.test(query) ? [] : [query]));
  expect(queries.length).toBeGreaterThan(25);
  const unanswered = async () => {
    const told = (await Promise.all(services.map(seriesOf))).flat();
    return queries.filter((query) => !namesIn(query).every((name) => hasAll(told, name, labelsIn(query))));
  };
  let missing: string[] = [];
  const isComplete = async () => {
    missing = await unanswered();
    return missing.length === 0;
  };
  await waitFor("every metric", isComplete, { timeoutMs: 30_000, everyMs: 500 }).catch(() => {});
  expect(missing).toEqual([]);
}, 120_000);

test("a partition's metrics come from the process that has it, and from no other", async () => {
  await using plant = await installation();
  const settings = { PIPELINES: "average-temperature" };
  await using first = plant.start(PROCESSOR, settings);
  await using producer = plant.start(PRODUCER, { DEVICES: "20", INTERVAL_MS: "200" });
  await Promise.all([first.ready(), producer.ready()]);
  const partitionsOf = async (service: RunningService) =>
    (await seriesOf(service))
      .filter(({ name }) => name === "kelvin_event_time_clock_seconds")
      .map(({ labels }) => labels["partition"]);
  await waitFor("all partitions with the first", async () => (await partitionsOf(first)).length === 3);

  await using second = plant.start(PROCESSOR, settings);
  await second.ready();
  await waitFor("each partition with one of both", async () => {
    const shares = await Promise.all([first, second].map(partitionsOf));
    return shares.every((share) => share.length > 0) && shares.flat().sort().join() === "0,1,2";
  });
}, 120_000);

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Of Prometheus' text format, without the values. */
async function seriesOf(service: RunningService): Promise<Series[]> {
  const text = await (await fetch(new URL("/metrics", await service.ready()))).text();
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)].map(([, name = "", labels = ""]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]),
    ),
  }));
}

const namesIn = (query: string): string[] => query.match(/\b(?:kelvin|process|nodejs)_\w+/g) ?? [];

/** What it groups or joins by. */
const labelsIn = (query: string): string[] =>
  [...query.matchAll(/\b(?:by|on) \(([^)]*)\)/g)]
    .flatMap(([, list = ""]) => list.split(", "))
    .filter((label) => !OF_THE_TARGET.has(label));

const hasAll = (told: readonly Series[], name: string, labels: readonly string[]): boolean =>
  told.some((series) => series.name === name && labels.every((label) => label in series.labels));
