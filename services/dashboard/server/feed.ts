/** Topics to state: reads `sensor`, `alert` and `kpi` from a while ago on, and monitors the pipelines. */
import {
  type Alert,
  alertTopic,
  type Kpi,
  kpiTopic,
  renamed,
  type SensorReading,
  sensorTopic,
} from "@kelvin/schema";
import { PIPELINES } from "@kelvin/schema/live";
import type { Clock, Health, KafkaConnection, Log, Metrics } from "@kelvin/service-kit";
import {
  createSubscriber,
  type InvalidRecord,
  resultHeaders,
  type SubscribedRecord,
  type Subscriber,
  watchGroups,
} from "@kelvin/streams";
import type { LiveState } from "./state.ts";

export interface FeedOptions {
  readonly kafka: KafkaConnection;
  readonly topics: { readonly sensor: string; readonly alert: string; readonly kpi: string };
  /** The pipelines' consumer groups are `<prefix>-<pipeline>`. */
  readonly groupPrefix: string;
  /** This server's own: with one shared by two servers, each would see a part only. */
  readonly groupId: string;
  /** How far back reading begins: readings for the longest chart, alerts and KPIs for what is shown of them. */
  readonly pastMs: { readonly readings: number; readonly results: number };
  readonly state: LiveState;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Feed {
  ready(): Health;
  live(): Health;
  /** Rejects if Kafka refuses permanently. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

type Value = SensorReading | Alert | Kpi;

/** Starts reading in the background; it waits for an unreachable broker, which the state shows meanwhile. */
export async function startFeed(options: FeedOptions): Promise<Feed> {
  const { kafka, topics, groupPrefix, groupId, pastMs, state, clock, log, metrics } = options;
  const subscriber = await createSubscriber<Value>({
    kafka,
    topics: [
      renamed(sensorTopic, topics.sensor),
      renamed(alertTopic, topics.alert),
      renamed(kpiTopic, topics.kpi),
    ],
    groupId,
    from: (topic) => ({ millisecondsAgo: topic === topics.sensor ? pastMs.readings : pastMs.results }),
    log,
    metrics,
    clock,
    onRecord: (record) => take(record, options),
    onInvalid: (record) => reject(record, options),
    onStatus: (status) => {
      if (status.kind === "unreachable") state.kafkaSeen(status.sinceMs);
      if (status.kind === "reachable") state.kafkaSeen(undefined);
    },
  });
  void subscriber.caughtUp.then(() => {
    state.catchUpDone();
    log.info({ devices: state.devices.size }, "caught up with the topics");
  });

  for (const topic of Object.values(topics)) {
    countTaken(metrics, topic, 0);
    countRejected(metrics, topic, 0);
  }

  const groups = PIPELINES.map(({ name, reads }) => ({
    pipeline: name,
    topic: topics[reads],
    groupId: `${groupPrefix}-${name}`,
  }));
  const watch = watchGroups({
    kafka,
    groups,
    log,
    clock,
    onLook: ({ groupId: looked }, look) => {
      const pipeline = groups.find((one) => one.groupId === looked)?.pipeline;
      if (pipeline !== undefined) state.pipelineSeen(pipeline, look);
    },
  });

  return {
    ready: () => readiness(subscriber, state),
    live: () => ({ ok: subscriber.health().live, why: subscriber.health().why }),
    failed: subscriber.failed,
    async close() {
      await Promise.all([watch.close(), subscriber.close()]);
    },
  };
}

function countTaken(metrics: Metrics, topic: string, by = 1): void {
  metrics.count("kelvin_dashboard_records_total", "Records read.", { topic }, by);
}

function countRejected(metrics: Metrics, topic: string, by = 1): void {
  const help = "Records that don't match their topic's schema.";
  metrics.count("kelvin_dashboard_rejected_records_total", help, { topic }, by);
}

function take(record: SubscribedRecord<Value>, { topics, state, metrics }: FeedOptions): void {
  const { topic, partition, offset, value, timestampMs: eventMs } = record;
  countTaken(metrics, topic);
  if (topic === topics.sensor && "temperature" in value) state.reading(value, { partition, offset, eventMs });
  if (topic === topics.alert && "celsius" in value) state.alert(value, { partition, offset, eventMs });
  if (topic === topics.kpi && "window_end" in value) state.kpi(value, revisionOf(record));
}

function reject(
  { topic, partition, offset, problems }: InvalidRecord,
  { state, metrics }: FeedOptions,
): void {
  countRejected(metrics, topic);
  state.reject({ topic, partition, offset, reason: problems.join("; ") });
}

/** Results without the header, which others may write, count as emitted once. */
function revisionOf({ headers }: SubscribedRecord<Value>): number {
  const revision = Number(headers[resultHeaders.revision] ?? 0);
  return Number.isSafeInteger(revision) ? revision : 0;
}

function readiness(subscriber: Subscriber, state: LiveState): Health {
  const { ready, why } = subscriber.health();
  if (ready && !state.isCaughtUp) return { ok: false, why: "catching up with the topics" };
  return { ok: ready, why };
}
