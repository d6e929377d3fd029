/** Administrators move partitions among several brokers, and give leadership back. */
import { describe, expect, test } from "vitest";
import { errorCode } from "../index.ts";
import { alterPartitionReassignments } from "../protocol/messages/alter-partition-reassignments.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { describeLogDirs } from "../protocol/messages/describe-log-dirs.ts";
import { electLeaders } from "../protocol/messages/elect-leaders.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { append, batchOf, create } from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { started } from "../testing/started.ts";

const timeoutMs = 1000;
const three = () => started({ brokers: 3 });

async function partitionOf(client: RawClient, name = "t") {
  const { topics } = await client.send(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });
  return topics[0]?.partitions[0];
}

async function reassign(client: RawClient, replicas: number[], allowReplicationFactorChange = true) {
  const { responses } = await client.send(alterPartitionReassignments, 1, {
    timeoutMs,
    allowReplicationFactorChange,
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, replicas }] }],
  });
  return responses[0]?.partitions[0]?.errorCode;
}

async function elect(client: RawClient, electionType: 0 | 1) {
  const { replicaElectionResults } = await client.send(electLeaders, 2, {
    electionType,
    topicPartitions: [{ topic: "t", partitions: [0] }],
    timeoutMs,
  });
  return replicaElectionResults[0]?.partitionResult[0]?.errorCode;
}

const onBrokers = (...brokerIds: number[]) => ({
  name: "t",
  numPartitions: -1,
  replicationFactor: -1,
  assignments: [{ partitionIndex: 0, brokerIds }],
});

describe("a reassignment", () => {
  test("moves a partition with its records; the leader stays where it may", async () => {
    await using on = await three();
    await create(on.client, onBrokers(1, 2));
    await append(on.client, "t", batchOf(["kept"]));
    expect(await reassign(on.client, [3, 1])).toBe(errorCode.none);
    expect(await partitionOf(on.client)).toMatchObject({ leaderId: 1, leaderEpoch: 0, replicaNodes: [3, 1] });
    expect(await reassign(on.client, [3])).toBe(errorCode.none);
    expect(await partitionOf(on.client)).toMatchObject({ leaderId: 3, leaderEpoch: 1, replicaNodes: [3] });
    expect(on.broker.records("t").map(({ value }) => value?.toString())).toEqual(["kept"]);
    expect((await append(on.client, "t", batchOf(["x"]))).errorCode).toBe(errorCode.notLeaderOrFollower);
    expect((await append(await on.connect(3), "t", batchOf(["y"]))).errorCode).toBe(errorCode.none);
  });

  test("keeps the number of copies where it is told to, and needs a broker that runs", async () => {
    await using on = await three();
    await create(on.client, onBrokers(1, 2));
    expect(await reassign(on.client, [1, 2, 3], false)).toBe(errorCode.invalidReplicationFactor);
    expect(await reassign(on.client, [2, 3], false)).toBe(errorCode.none);
    await on.broker.stopBroker(3);
    expect(await reassign(on.client, [3])).toBe(errorCode.invalidReplicaAssignment);
    expect((await partitionOf(on.client))?.replicaNodes).toEqual([2, 3]);
  });

  test("shows in the folders of the brokers that hold the partition", async () => {
    await using on = await three();
    await create(on.client, onBrokers(1));
    await reassign(on.client, [2]);
    const held = await Promise.all(
      [1, 2, 3].map(async (id) => {
        const client = await on.connect(id);
        const { results } = await client.send(describeLogDirs, 4, { topics: null });
        return results[0]?.topics.map(({ name }) => name);
      }),
    );
    expect(held).toEqual([[], ["t"], []]);
  });
});

describe("an election", () => {
  test("gives leadership back to the first broker of a partition, once it runs", async () => {
    await using on = await three();
    await create(on.client, onBrokers(2, 1));
    await on.broker.stopBroker(2);
    expect((await partitionOf(on.client))?.leaderId).toBe(1);
    expect(await elect(on.client, 0)).toBe(errorCode.preferredLeaderNotAvailable);
    await on.broker.startBroker(2);
    expect(await elect(on.client, 1)).toBe(errorCode.electionNotNeeded);
    const all = await on.client.send(electLeaders, 2, { electionType: 0, topicPartitions: null, timeoutMs });
    expect(all.replicaElectionResults).toMatchObject([{ topic: "t", partitionResult: [{ errorCode: 0 }] }]);
    expect((await partitionOf(on.client))?.leaderId).toBe(2);
    expect(await elect(on.client, 0)).toBe(errorCode.electionNotNeeded);
  });

  test("finds nobody where all brokers of a partition are stopped", async () => {
    await using on = await three();
    await create(on.client, onBrokers(2));
    await on.broker.stopBroker(2);
    expect(await elect(on.client, 1)).toBe(errorCode.eligibleLeadersNotAvailable);
    expect(await elect(on.client, 0)).toBe(errorCode.preferredLeaderNotAvailable);
  });
});

describe("internal topics", () => {
  test("are on three brokers, and not among people's topics", async () => {
    await using on = await three();
    await on.client.send(findCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] });
    expect((await partitionOf(on.client, "__consumer_offsets"))?.replicaNodes).toEqual([1, 2, 3]);
    expect(on.broker.topics()).toEqual([]);
    expect(on.broker.nodes().map(({ leads }) => leads)).toEqual([{}, {}, {}]);
  });

  test("the groups go with theirs, as what Apache Kafka knows of them is in it", async () => {
    await using on = await started();
    const { client } = on;
    await create(client, { name: "t" });
    await client.send(findCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] });
    await client.send(offsetCommit, 8, {
      groupId: "g",
      generationIdOrMemberEpoch: -1,
      memberId: "",
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: "" }] }],
    });
    const committed = async () => {
      const { groups } = await client.send(offsetFetch, 8, { groups: [{ groupId: "g", topics: null }] });
      return groups[0]?.topics.flatMap((topic) => topic.partitions.map((one) => one.committedOffset));
    };
    expect(await committed()).toEqual([7]);
    const { responses } = await client.send(deleteTopics, 5, {
      topicNames: ["__consumer_offsets"],
      timeoutMs,
    });
    expect(responses).toMatchObject([{ errorCode: 0 }]);
    expect(await committed()).toEqual([]);
  });
});
