import { expect, test } from "vitest";
import type { Labels, Metrics } from "../ports.ts";
import { Numbers } from "./numbers.ts";

/** What a registry would tell: the value of each name with its labels. */
function kept() {
  const told = new Map<string, number>();
  const key = (name: string, labels: Labels = {}) =>
    `${name}{${Object.entries(labels)
      .map(([label, value]) => `${label}=${value}`)
      .sort()
      .join()}}`;
  const metrics: Metrics = {
    count: (name, _, labels, by = 1) => told.set(key(name, labels), (told.get(key(name, labels)) ?? 0) + by),
    gauge: (name, _, value, labels) => told.set(key(name, labels), value),
    forget: (name, labels) => told.delete(key(name, labels)),
  };
  return { told, numbers: new Numbers(metrics, "app") };
}

test("counters are exported as 0 before anything happens, with the labels that they are counted with", () => {
  const { told, numbers } = kept();
  numbers.startAtZero(["sensor"]);
  const names = [...told.keys()];
  expect(names).toContain("kelvin_records_dead_lettered_total{code=late,pipeline=app,topic=sensor}");
  expect(names).toContain("kelvin_consumer_restarts_total{pipeline=app}");
  expect([...told.values()].every((value) => value === 0)).toBe(true);

  for (const name of ["results", "results_revised", "records_late", "commits"] as const) numbers.count(name);
  numbers.count("records_in", "sensor");
  numbers.count("records_misplaced", "sensor");
  numbers.count("records_dead_lettered", "sensor", "late");
  numbers.flush();
  expect([...told.keys()]).toEqual(names);
  expect(told.get("kelvin_records_dead_lettered_total{code=late,pipeline=app,topic=sensor}")).toBe(1);
});

test("the metrics of a partition that went to another process are no longer exported, those of the others are", () => {
  const { told, numbers } = kept();
  for (const partition of [0, 1]) {
    numbers.gauge("lag_records", 7, { topic: "sensor", partition });
    numbers.gauge("store_values", 3, { topic: "sensor", partition, store: "a" });
    numbers.gauge("store_values", 4, { topic: "sensor", partition, store: "b" });
  }
  numbers.gauge("broker_reachable", 1);
  numbers.forget("sensor", 0);
  expect([...told.keys()]).toEqual([
    "kelvin_lag_records{partition=1,pipeline=app,topic=sensor}",
    "kelvin_store_values{partition=1,pipeline=app,store=a,topic=sensor}",
    "kelvin_store_values{partition=1,pipeline=app,store=b,topic=sensor}",
    "kelvin_broker_reachable{pipeline=app}",
  ]);
  numbers.forget("sensor", 0);
  expect(told.size).toBe(4);
});
