/**
 * Ends kafkajs 2.2.4's sleep over paused partitions when one of them is resumed. Where all partitions of a broker are
 * paused it sleeps for `maxWaitTimeInMs` and looks at nothing meanwhile: a pipeline whose queues were full stands still when
 * they have run empty, and one that was given partitions begins so much later than it could.
 */
import { createRequire } from "node:module";
import { delay, machineClock } from "./machine-clock.ts";

interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** What is used of kafkajs' `ConsumerGroup`. */
interface ConsumerGroup {
  readonly maxWaitTime: number;
  readonly subscriptionState: {
    assigned(): readonly TopicPartitions[];
    isPaused(topic: string, partition: number): boolean;
  };
  filterPartitionsByNode(nodeId: unknown, all: readonly TopicPartitions[]): readonly TopicPartitions[];
  fetch(nodeId: unknown): Promise<readonly unknown[]>;
  resume(which: readonly TopicPartitions[]): void;
}

/** Of each group those of its brokers that sleep. */
const asleep = new WeakMap<ConsumerGroup, Set<AbortController>>();
let isMended = false;

export function mendPausedFetch(): void {
  if (isMended) return;
  isMended = true;
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/consumer/consumerGroup");
  if (typeof loaded !== "function") return;
  const prototype: unknown = loaded.prototype;
  if (!isConsumerGroup(prototype)) return;
  const { fetch, resume } = prototype;
  prototype.fetch = async function (this: ConsumerGroup, nodeId) {
    if (areAllPaused(this, nodeId)) await sleep(this);
    // Who has slept enough looks after the group's heartbeat before it sleeps again.
    return areAllPaused(this, nodeId) ? [] : fetch.call(this, nodeId);
  };
  prototype.resume = function (this: ConsumerGroup, which) {
    resume.call(this, which);
    for (const sleeper of asleep.get(this) ?? []) sleeper.abort();
  };
}

/** Where the broker has none of ours, kafkajs is left to itself: it looks for new ones. */
function areAllPaused(group: ConsumerGroup, nodeId: unknown): boolean {
  const { subscriptionState } = group;
  const ours = group
    .filterPartitionsByNode(nodeId, subscriptionState.assigned())
    .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
  return (
    ours.length > 0 && ours.every(({ topic, partition }) => subscriptionState.isPaused(topic, partition))
  );
}

async function sleep(group: ConsumerGroup): Promise<void> {
  const sleepers = asleep.get(group) ?? new Set();
  asleep.set(group, sleepers);
  const sleeper = new AbortController();
  sleepers.add(sleeper);
  await delay(machineClock, group.maxWaitTime, sleeper.signal);
  sleepers.delete(sleeper);
}

function isConsumerGroup(prototype: unknown): prototype is ConsumerGroup {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    ["fetch", "resume", "filterPartitionsByNode"].every(
      (name) => typeof Reflect.get(prototype, name) === "function",
    )
  );
}
