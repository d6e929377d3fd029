/** Numbers about the process and what it does, as Prometheus reads them. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What tells the series of one metric apart. Few values each: every combination is kept for ever. */
export type Labels = Readonly<Record<string, string | number>>;

/** What a part reports; names follow Prometheus: base units, `_total` for counters. */
export interface Metrics {
  /** Adds to a number that only grows. */
  count(name: string, help: string, labels?: Labels, by?: number): void;
  /** Sets a number that goes up and down. */
  gauge(name: string, help: string, value: number, labels?: Labels): void;
  /** The gauge is not told any more with these labels. */
  forget(name: string, labels: Labels): void;
  /** Notes one duration or size among many. */
  observe(name: string, help: string, value: number, labels?: Labels): void;
}

/** What all parts of a process reported, and how a scraper reads it. */
export interface MetricsRegistry extends Metrics {
  /** All of it in the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Seconds; from a millisecond to ten seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry of its own (nothing global), with Node's memory, CPU and event loop in it. */
export function createMetrics(service: string): MetricsRegistry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  return {
    count(name, help, labels = {}, by = 1) {
      kept(
        counters,
        name,
        () => new Counter({ ...described(name, help, labels), registers: [registry] }),
      ).inc(labels, by);
    },
    gauge(name, help, value, labels = {}) {
      kept(gauges, name, () => new Gauge({ ...described(name, help, labels), registers: [registry] })).set(
        labels,
        value,
      );
    },
    forget(name, labels) {
      gauges.get(name)?.remove(labels);
    },
    observe(name, help, value, labels = {}) {
      kept(
        histograms,
        name,
        () => new Histogram({ ...described(name, help, labels), buckets: BUCKETS, registers: [registry] }),
      ).observe(labels, value);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function described(name: string, help: string, labels: Labels) {
  return { name, help, labelNames: Object.keys(labels) };
}

function kept<T>(all: Map<string, T>, name: string, make: () => T): T {
  const known = all.get(name);
  if (known !== undefined) return known;
  const made = make();
  all.set(name, made);
  return made;
}
