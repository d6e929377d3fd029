/** Asking the cluster of the integration tests, whichever it is: this broker, or a real Apache Kafka. */
import { randomUUID } from "node:crypto";
import { errorCode } from "../protocol/error-codes.ts";
import { createTopics } from "../protocol/messages/create-topics.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { produce } from "../protocol/messages/produce.ts";
import { type Encodable, ZERO_UUID } from "../protocol/schema.ts";
import { buildBatch, type NewBatch } from "../records/record.ts";
import { RawClient } from "./raw-client.ts";
import { forgetSince, heardFromCluster, heardSoFar } from "./recorded-answers.ts";

/** There is no cluster to test, or it does not get ready. */
export class ClusterUnderTestError extends Error {
  override readonly name = "ClusterUnderTestError";
  readonly code = "TEST_NO_CLUSTER";
}

/** A connection to the first of KAFKA_BROKERS; the tests' clusters have one broker. */
export function connectToCluster(clientId = "raw"): Promise<RawClient> {
  const broker = process.env["KAFKA_BROKERS"]?.split(",")[0];
  if (broker === undefined) throw new ClusterUnderTestError("KAFKA_BROKERS is not set");
  return RawClient.to(broker, clientId, heardFromCluster);
}

export function uniqueName(what: string): string {
  return `${what}-${randomUUID().slice(0, 8)}`;
}

const TRIES = 100;
const PAUSE_MS = 50;

/** Asks until the answer is there: a real cluster takes a moment to spread what it knows. */
export async function eventually<T>(what: string, ask: () => Promise<T | null>, tries = TRIES): Promise<T> {
  for (let left = tries; left > 0; left--) {
    const heard = heardSoFar();
    const answer = await ask();
    if (answer !== null) return answer;
    forgetSince(heard);
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
  throw new ClusterUnderTestError(`${what}: not within ${(tries * PAUSE_MS) / 1000} s`);
}

export interface CreatedTopic {
  readonly name: string;
  readonly id: string;
}

type TopicRequest = Encodable<typeof createTopics.request>["topics"][number];

/** One CreateTopics of one topic. */
export async function create(
  client: RawClient,
  topic: Partial<TopicRequest> & { name: string },
  validateOnly = false,
) {
  const { topics } = await client.send(createTopics, 7, {
    topics: [{ numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...topic }],
    validateOnly,
    timeoutMs: 10_000,
  });
  const answer = topics[0];
  if (answer === undefined) throw new ClusterUnderTestError("CreateTopics answered nothing");
  return answer;
}

/** A topic of its own, ready to be written to. */
export async function freshTopic(
  client: RawClient,
  options: { partitions?: number; configs?: Record<string, string>; name?: string } = {},
): Promise<CreatedTopic> {
  const name = options.name ?? uniqueName("topic");
  const configs = Object.entries(options.configs ?? {}).map(([key, value]) => ({ name: key, value }));
  const numPartitions = options.partitions ?? 1;
  await eventually(`creation of ${name}`, async () => {
    const { errorCode: code } = await create(client, { name, numPartitions, configs });
    // A topic of that name may be on its way out.
    return code === errorCode.none ? true : null;
  });
  const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp: -1,
  }));
  await eventually(`leaders of ${name}`, async () => {
    const { topics } = await client.send(listOffsets, 6, { replicaId: -1, topics: [{ name, partitions }] });
    return topics[0]?.partitions.every((partition) => partition.errorCode === errorCode.none) ? true : null;
  });
  const { topics } = await client.send(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });
  return { name, id: topics[0]?.topicId ?? ZERO_UUID };
}

/** Values as one batch, now. */
export function batchOf(values: readonly string[], rest: Partial<NewBatch> = {}): Buffer {
  return buildBatch({
    records: values.map((value) => ({ value: Buffer.from(value) })),
    baseTimestampMs: Date.now(),
    ...rest,
  });
}

/** Appends bytes to a partition; its answer. */
export async function append(
  client: RawClient,
  topic: string,
  records: Buffer | null,
  { partition = 0, acks = -1, version = 11 } = {},
) {
  const { responses } = await client.send(produce, version, {
    acks,
    timeoutMs: 10_000,
    topicData: [
      { name: topic, partitionData: [{ index: partition, records: records === null ? null : [records] }] },
    ],
  });
  const answer = responses[0]?.partitionResponses[0];
  if (answer === undefined) throw new ClusterUnderTestError("Produce answered nothing");
  return answer;
}

export interface FetchOptions {
  readonly partition?: number;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly partitionMaxBytes?: number;
  readonly currentLeaderEpoch?: number;
  readonly isolationLevel?: number;
}

/** Fetches one partition by the topic's name (version 12). */
export async function fetchOne(
  client: RawClient,
  topic: string,
  fetchOffset: number,
  options: FetchOptions = {},
) {
  const { partition = 0, maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, isolationLevel = 0 } = options;
  const { responses } = await client.send(fetch, 12, {
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel,
    topics: [
      {
        topic,
        partitions: [
          {
            partition,
            fetchOffset,
            partitionMaxBytes: options.partitionMaxBytes ?? 1 << 20,
            currentLeaderEpoch: options.currentLeaderEpoch ?? -1,
          },
        ],
      },
    ],
  });
  const answer = responses[0]?.partitions[0];
  if (answer === undefined) throw new ClusterUnderTestError("Fetch answered nothing");
  return answer;
}

/** Waits until the group's coordinator is there: a real cluster makes its topic at the first question. */
export async function coordinatorReady(client: RawClient, groupId: string): Promise<void> {
  await eventually("a coordinator", async () => {
    const { coordinators } = await client.send(findCoordinator, 4, {
      keyType: 0,
      coordinatorKeys: [groupId],
    });
    return coordinators[0]?.errorCode === errorCode.none ? true : null;
  });
}
