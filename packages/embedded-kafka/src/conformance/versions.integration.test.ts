/** Each request in each of its versions, the oldest and the newest among them: the same answers as from Apache Kafka. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { alterConfigs } from "../protocol/messages/alter-configs.ts";
import { alterPartitionReassignments } from "../protocol/messages/alter-partition-reassignments.ts";
import { createPartitions } from "../protocol/messages/create-partitions.ts";
import { createTopics } from "../protocol/messages/create-topics.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { describeCluster } from "../protocol/messages/describe-cluster.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import { describeGroups } from "../protocol/messages/describe-groups.ts";
import { describeLogDirs } from "../protocol/messages/describe-log-dirs.ts";
import { electLeaders } from "../protocol/messages/elect-leaders.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import { joinGroup } from "../protocol/messages/join-group.ts";
import { leaveGroup } from "../protocol/messages/leave-group.ts";
import { listGroups } from "../protocol/messages/list-groups.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import { syncGroup } from "../protocol/messages/sync-group.ts";
import type { Api } from "../protocol/schema.ts";
import {
  append,
  batchOf,
  type CreatedTopic,
  connectToCluster,
  coordinatorReady,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import { GroupClient } from "../testing/group-client.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";
import { versionsOf } from "../testing/samples.ts";

const TOPIC = 2;
const SET = 0;
const timeoutMs = 10_000;

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
  await coordinatorReady(client, "any");
});
afterAll(() => client[Symbol.asyncDispose]());

/** Every error code in an answer, at whatever depth, once. */
function codesIn(answer: unknown): number[] {
  if (typeof answer !== "object" || answer === null) return [];
  const codes = Object.entries(answer).flatMap(([name, value]) =>
    name === "errorCode" ? [Number(value)] : codesIn(value),
  );
  return [...new Set(codes)];
}

/** The version of a request that goes with the others' of that number: its own oldest or newest where it has no such. */
const within = ({ versions: [oldest, newest] }: Api, version: number) =>
  Math.min(Math.max(version, oldest), newest);

describe("a topic of one record", () => {
  let topic: CreatedTopic;
  beforeEach(async () => {
    topic = await freshTopic(client);
    await append(client, topic.name, batchOf(["20.5"]));
  });

  test.each(versionsOf(metadata))("Metadata %i", async (version) => {
    const { name } = topic;
    const answer = await client.send(metadata, version, {
      topics: [{ name }],
      allowAutoTopicCreation: false,
    });
    expect(answer.topics).toMatchObject([{ name, errorCode: 0, partitions: [{ errorCode: 0 }] }]);
  });

  test.each(versionsOf(listOffsets))("ListOffsets %i", async (version) => {
    const { topics } = await client.send(listOffsets, version, {
      replicaId: -1,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    });
    expect(topics[0]?.partitions).toMatchObject([{ errorCode: 0, offset: 1 }]);
  });

  test.each(versionsOf(fetch))("Fetch %i", async (version) => {
    const { responses } = await client.send(fetch, version, {
      maxWaitMs: 1000,
      minBytes: 1,
      topics: [
        {
          topic: topic.name,
          topicId: topic.id,
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }],
        },
      ],
    });
    expect(responses[0]?.partitions).toMatchObject([{ errorCode: 0, highWatermark: 1 }]);
  });

  test.each(versionsOf(offsetForLeaderEpoch))("OffsetForLeaderEpoch %i", async (version) => {
    const { topics } = await client.send(offsetForLeaderEpoch, version, {
      replicaId: -1,
      topics: [{ topic: topic.name, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
    });
    expect(topics[0]?.partitions).toMatchObject([{ errorCode: 0, endOffset: 1 }]);
  });

  test.each(versionsOf(describeConfigs))("DescribeConfigs %i", async (version) => {
    const { results } = await client.send(describeConfigs, version, {
      resources: [
        {
          resourceType: TOPIC,
          resourceName: topic.name,
          configurationKeys: ["cleanup.policy", "retention.ms"],
        },
      ],
    });
    expect(codesIn(results)).toEqual([errorCode.none]);
    expect(results[0]?.configs).toHaveLength(2);
  });

  test.each(versionsOf(alterConfigs))("AlterConfigs %i", async (version) => {
    const { responses } = await client.send(alterConfigs, version, {
      resources: [
        {
          resourceType: TOPIC,
          resourceName: topic.name,
          configs: [{ name: "retention.ms", value: "60000" }],
        },
      ],
      validateOnly: false,
    });
    expect(codesIn(responses)).toEqual([errorCode.none]);
  });

  test.each(versionsOf(incrementalAlterConfigs))("IncrementalAlterConfigs %i", async (version) => {
    const { responses } = await client.send(incrementalAlterConfigs, version, {
      resources: [
        {
          resourceType: TOPIC,
          resourceName: topic.name,
          configs: [{ name: "retention.ms", configOperation: SET, value: "60000" }],
        },
      ],
      validateOnly: false,
    });
    expect(codesIn(responses)).toEqual([errorCode.none]);
  });

  test.each(versionsOf(describeLogDirs))("DescribeLogDirs %i", async (version) => {
    const { results } = await client.send(describeLogDirs, version, {
      topics: [{ topic: topic.name, partitions: [0] }],
    });
    expect(codesIn(results)).toEqual([errorCode.none]);
    expect(results[0]?.topics[0]?.partitions).toMatchObject([{ partitionIndex: 0, isFutureKey: false }]);
  });

  test.each(versionsOf(electLeaders))("ElectLeaders %i", async (version) => {
    const answer = await client.send(electLeaders, version, {
      topicPartitions: [{ topic: topic.name, partitions: [0] }],
      timeoutMs,
    });
    expect(codesIn(answer)).toContain(errorCode.electionNotNeeded);
  });

  test.each(versionsOf(alterPartitionReassignments))("AlterPartitionReassignments %i", async (version) => {
    const answer = await client.send(alterPartitionReassignments, version, {
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, replicas: null }] }],
      timeoutMs,
    });
    expect(codesIn(answer)).toContain(errorCode.noReassignmentInProgress);
  });

  test.each(versionsOf(deleteRecords))("DeleteRecords %i", async (version) => {
    const { topics } = await client.send(deleteRecords, version, {
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset: 1 }] }],
      timeoutMs,
    });
    expect(topics[0]?.partitions).toMatchObject([{ errorCode: 0, lowWatermark: 1 }]);
  });

  test.each(versionsOf(createPartitions))("CreatePartitions %i", async (version) => {
    const { results } = await client.send(createPartitions, version, {
      topics: [{ name: topic.name, count: 2, assignments: null }],
      timeoutMs,
      validateOnly: false,
    });
    expect(codesIn(results)).toEqual([errorCode.none]);
  });

  test.each(versionsOf(deleteTopics))("DeleteTopics %i", async (version) => {
    const { name, id } = topic;
    const { responses } = await client.send(deleteTopics, version, {
      topics: [{ topicId: id }],
      topicNames: [name],
      timeoutMs,
    });
    expect(responses).toMatchObject([{ name, errorCode: 0 }]);
  });
});

test.each(versionsOf(createTopics))("CreateTopics %i", async (version) => {
  const { topics } = await client.send(createTopics, version, {
    topics: [
      {
        name: uniqueName("topic"),
        numPartitions: 2,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: "retention.ms", value: "60000" }],
      },
    ],
    timeoutMs,
    validateOnly: false,
  });
  expect(codesIn(topics)).toEqual([errorCode.none]);
});

test.each(versionsOf(describeCluster))("DescribeCluster %i", async (version) => {
  const answer = await client.send(describeCluster, version, { includeClusterAuthorizedOperations: false });
  expect(codesIn(answer)).toEqual([errorCode.none]);
});

test.each(versionsOf(findCoordinator))("FindCoordinator %i", async (version) => {
  const key = uniqueName("group");
  const answer = await client.send(findCoordinator, version, { key, coordinatorKeys: [key] });
  expect(codesIn(answer)).toEqual([errorCode.none]);
});

// All that a member asks, in versions of the same number.
test.each(versionsOf(joinGroup))("a consumer group %i", async (version) => {
  const topic = await freshTopic(client);
  await using member = await GroupClient.of(uniqueName("group"));
  const { groupId } = member;
  const joined = await member.joinOnce(version);
  if (joined.errorCode === errorCode.memberIdRequired) await member.joinOnce(version);
  const { memberId, generationId } = member;
  const own = { groupId, memberId, generationId };
  const synced = await client.send(syncGroup, within(syncGroup, version), {
    ...own,
    protocolType: "consumer",
    protocolName: "range",
    assignments: [{ memberId, assignment: Buffer.from("all of it") }],
  });
  expect(codesIn(synced)).toEqual([errorCode.none]);
  expect(codesIn(await client.send(heartbeat, within(heartbeat, version), own))).toEqual([errorCode.none]);
  const committed = await client.send(offsetCommit, within(offsetCommit, version), {
    groupId,
    memberId,
    generationIdOrMemberEpoch: generationId,
    topics: [
      {
        name: topic.name,
        partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: "seven" }],
      },
    ],
  });
  expect(codesIn(committed)).toEqual([errorCode.none]);
  const of = { groupId, topics: [{ name: topic.name, partitionIndexes: [0, 1] }] };
  const fetched = await client.send(offsetFetch, within(offsetFetch, version), { ...of, groups: [of] });
  expect((fetched.groups[0] ?? fetched).topics[0]?.partitions).toMatchObject([
    { committedOffset: 7, metadata: "seven" },
    { committedOffset: -1 },
  ]);
  const described = await client.send(describeGroups, within(describeGroups, version), { groups: [groupId] });
  expect(described.groups).toMatchObject([{ errorCode: 0, groupState: "Stable", members: [{ memberId }] }]);
  const listed = await client.send(listGroups, within(listGroups, version), {});
  expect(listed.groups).toContainEqual(expect.objectContaining({ groupId, protocolType: "consumer" }));
  const left = await client.send(leaveGroup, within(leaveGroup, version), {
    groupId,
    memberId,
    members: [{ memberId }],
  });
  expect(codesIn(left)).toEqual([errorCode.none]);
  const deleted = await client.send(deleteGroups, within(deleteGroups, version), { groupsNames: [groupId] });
  expect(codesIn(deleted)).toEqual([errorCode.none]);
});
