/** The metrics of the library, by name; the only place where they are named. */
import type { Labels, Metrics } from "../ports.ts";
import { DEAD_LETTER_CODES } from "./dead-letters.ts";

const COUNTERS = {
  records_in: "Records read from source topics.",
  records_out: "Records sent to Kafka for sink topics.",
  records_late: "Records that arrived after their window's allowed lateness.",
  records_future: "Records whose event time is too far ahead of the wall clock.",
  records_misplaced: "Records outside their key's partition, which splits their windows.",
  records_dead_lettered: "Records written to a dead-letter topic.",
  records_skipped: "Records skipped because of onFailure or onInvalid.",
  records_retried: "Retries of a record after a function of the pipeline threw.",
  records_repeated: "Duplicate records of a repartition topic, dropped.",
  results: "Window results emitted, including revisions.",
  results_revised: "Window results emitted again because a late record changed them.",
  commits: "Offset commits.",
  rebalances: "Rebalances of the consumer group.",
  consumer_restarts: "Consumers that were replaced after a failure.",
} as const;

const GAUGES = {
  lag_records: "Records of a partition not yet processed.",
  event_time_lag_seconds: "Age of a partition's oldest record not yet processed; 0 if there is none.",
  event_time_clock_seconds: "Event time that a partition has reached, seconds since the epoch.",
  commit_seconds: "Duration of the last commit, including deliveries.",
  commit_records: "Source records of a partition between its last two commits.",
  queued_bytes: "Bytes of records read and not yet processed.",
  restore_seconds: "Duration of the last state restore.",
  restore_records: "Changelog records read by the last state restore.",
  store_values: "Values in a store, by partition.",
  window_panes: "Panes of window state in memory.",
  broker_reachable: "1 while the broker answers.",
} as const;

/** Exported as 0 before anything happens, by the labels that they are counted with; those of dead letters also have a code. */
const ZEROES = {
  plain: [
    ...(["records_late", "records_future", "records_retried"] as const),
    ...(["results", "results_revised", "commits", "rebalances", "consumer_restarts"] as const),
  ],
  byTopic: ["records_in", "records_misplaced"],
} as const;

interface PartitionGauge {
  readonly name: keyof typeof GAUGES;
  readonly labels: Labels;
}

interface Count {
  readonly name: keyof typeof COUNTERS;
  readonly labels: Labels;
  by: number;
}

/** Counts are buffered and exported by `flush`: a registry's labels cost more than a record's work. */
export class Numbers {
  readonly #metrics: Metrics | undefined;
  readonly #labels: Labels;
  readonly #counts = new Map<string, Count>();
  /** The same by name and topic, of those without a code: they are counted with every record. */
  readonly #byTopic = new Map<string, Map<string, Count>>();
  /** Gauges with a partition among their labels. */
  readonly #ofPartitions = new Map<string, PartitionGauge>();

  constructor(metrics: Metrics | undefined, pipeline: string) {
    this.#metrics = metrics;
    this.#labels = { pipeline };
  }

  /**
   * Counters begin at 0, not with their first event: Prometheus' `increase` sees a step only from a sample before it, so
   * the first dead letter would wake nobody; and a panel without a series is no zero.
   */
  startAtZero(topics: readonly string[]): void {
    for (const name of ZEROES.plain) this.#add(name, {}, 0);
    for (const topic of topics) {
      for (const name of ZEROES.byTopic) this.#add(name, { topic }, 0);
      for (const code of DEAD_LETTER_CODES) this.#add("records_dead_lettered", { topic, code }, 0);
    }
  }

  count(name: keyof typeof COUNTERS, topic = "", code = ""): void {
    const known = code === "" ? this.#byTopic.get(name)?.get(topic) : undefined;
    if (known !== undefined) known.by++;
    else this.#countAnew(name, topic, code);
  }

  #countAnew(name: keyof typeof COUNTERS, topic: string, code: string): void {
    const key = `${name} ${topic} ${code}`;
    const count = this.#counts.get(key) ?? {
      ...{ name, by: 0 },
      labels: { ...(topic && { topic }), ...(code && { code }) },
    };
    count.by++;
    this.#counts.set(key, count);
    if (code !== "") return;
    const topics = this.#byTopic.get(name) ?? new Map<string, Count>();
    this.#byTopic.set(name, topics.set(topic, count));
  }

  gauge(name: keyof typeof GAUGES, value: number, labels: Labels = {}): void {
    this.#metrics?.gauge(`kelvin_${name}`, GAUGES[name], value, { ...this.#labels, ...labels });
    if (labels["partition"] !== undefined)
      this.#ofPartitions.set(`${name} ${Object.values(labels).join(" ")}`, { name, labels });
  }

  /** The partition is not ours any more: its last values would otherwise be exported for ever. */
  forget(topic: string, partition: number): void {
    for (const [key, { name, labels }] of this.#ofPartitions) {
      if (labels["topic"] !== topic || labels["partition"] !== partition) continue;
      this.#ofPartitions.delete(key);
      this.#metrics?.forget(`kelvin_${name}`, { ...this.#labels, ...labels });
    }
  }

  flush(): void {
    for (const { name, labels, by } of this.#counts.values()) this.#add(name, labels, by);
    this.#counts.clear();
    this.#byTopic.clear();
  }

  #add(name: keyof typeof COUNTERS, labels: Labels, by: number): void {
    this.#metrics?.count(`kelvin_${name}_total`, COUNTERS[name], { ...this.#labels, ...labels }, by);
  }
}
