/** Several brokers in one process: who answers what, and what happens when that changes. */
import { describe, expect, test } from "vitest";
import {
  BrokerStoppedError,
  errorCode,
  InvalidConfigError,
  NoSuchBrokerError,
  NoSuchPartitionError,
  PortInUseError,
  startBroker,
  VirtualClock,
} from "../index.ts";
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { describeGroups } from "../protocol/messages/describe-groups.ts";
import { describeTransactions } from "../protocol/messages/describe-transactions.ts";
import { endTxn } from "../protocol/messages/end-txn.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { joinGroup } from "../protocol/messages/join-group.ts";
import { leaveGroup } from "../protocol/messages/leave-group.ts";
import { listGroups } from "../protocol/messages/list-groups.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { listTransactions } from "../protocol/messages/list-transactions.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { offsetDelete } from "../protocol/messages/offset-delete.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { txnOffsetCommit } from "../protocol/messages/txn-offset-commit.ts";
import { append, batchOf, create, eventually, fetchOne } from "../testing/cluster-under-test.ts";
import { ConnectionClosedError, type RawClient } from "../testing/raw-client.ts";
import { started } from "../testing/started.ts";

const three = (options = {}) => started({ brokers: 3, ...options });
const { notLeaderOrFollower, notCoordinator, none } = errorCode;

async function partitionsOf(client: RawClient, name = "t") {
  const { topics } = await client.send(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });
  return topics[0]?.partitions ?? [];
}

const oneRecord = (value = "v") => batchOf([value]);

describe("leaders", () => {
  test("each broker has a port of its own, and all name the same leaders", async () => {
    await using on = await three();
    expect(new Set(on.broker.brokers).size).toBe(3);
    await create(on.client, { name: "t", numPartitions: 4, replicationFactor: 2 });
    for (const id of [1, 2, 3]) {
      const client = await on.connect(id);
      const { brokers, controllerId } = await client.send(metadata, 8, { topics: [] });
      expect(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`])).toEqual(
        on.broker.brokers.map((address, index) => [index + 1, address]),
      );
      expect(controllerId).toBe(1);
      expect(
        (await partitionsOf(client)).map(({ leaderId, replicaNodes }) => [leaderId, ...replicaNodes]),
      ).toEqual([
        [1, 1, 2],
        [2, 2, 3],
        [3, 3, 1],
        [1, 1, 2],
      ]);
    }
    expect(on.broker.nodes()).toMatchObject([
      { id: 1, isRunning: true, connections: 2, leads: { t: [0, 3] } },
      { id: 2, connections: 1, leads: { t: [1] } },
      { id: 3, connections: 1, leads: { t: [2] } },
    ]);
    expect(on.broker.connections().map(({ brokerId }) => brokerId)).toEqual([1, 1, 2, 3]);
  });

  test("as many copies as there are brokers, and no more; by default on up to three", async () => {
    await using on = await three();
    expect((await create(on.client, { name: "a", replicationFactor: 3 })).errorCode).toBe(none);
    expect((await create(on.client, { name: "b", replicationFactor: 4 })).errorCode).toBe(
      errorCode.invalidReplicationFactor,
    );
    await create(on.client, { name: "c", replicationFactor: -1 });
    expect((await partitionsOf(on.client, "c"))[0]?.isrNodes).toEqual([1, 2, 3]);
  });

  test("any other broker answers error 6, to whatever is asked of a leader", async () => {
    await using on = await three();
    await create(on.client, { name: "t" });
    const other = await on.connect(2);
    expect((await append(other, "t", oneRecord())).errorCode).toBe(notLeaderOrFollower);
    expect((await fetchOne(other, "t", 0)).errorCode).toBe(notLeaderOrFollower);
    const wanted = { name: "t", partitions: [{ partitionIndex: 0, timestamp: -1 }] };
    const offsets = await other.send(listOffsets, 5, { replicaId: -1, topics: [wanted] });
    expect(offsets.topics[0]?.partitions[0]?.errorCode).toBe(notLeaderOrFollower);
    expect((await append(on.client, "t", oneRecord())).errorCode).toBe(none);
  });

  test("from some version on it says who leads, and where that is", async () => {
    await using on = await three();
    await create(on.client, { name: "t" });
    on.broker.moveLeader("t", 0, 3);
    const [host = "", port = ""] = on.broker.brokers[2]?.split(":") ?? [];
    const leader = { leaderId: 3, leaderEpoch: 1 };
    const nodeEndpoints = [{ nodeId: 3, host, port: Number(port), rack: null }];
    const produced = (version: number) =>
      on.client.send(produce, version, {
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ name: "t", partitionData: [{ index: 0, records: [oneRecord()] }] }],
      });
    const newer = await produced(10);
    expect(newer.nodeEndpoints).toEqual(nodeEndpoints);
    expect(newer.responses[0]?.partitionResponses[0]?.currentLeader).toEqual(leader);
    expect((await produced(9)).nodeEndpoints).toEqual([]);
    const topicId = on.broker.topics()[0]?.id ?? "";
    const fetched = (version: number) => {
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100, currentLeaderEpoch: 0 }];
      return on.client.send(fetch, version, { maxWaitMs: 0, minBytes: 0, topics: [{ topicId, partitions }] });
    };
    const found = await fetched(16);
    expect(found.nodeEndpoints).toEqual(nodeEndpoints);
    expect(found.responses[0]?.partitions[0]).toMatchObject({
      errorCode: errorCode.fencedLeaderEpoch,
      currentLeader: leader,
    });
    expect((await fetched(15)).responses[0]?.partitions[0]?.currentLeader).toBe(null);
  });

  test("a move begins a leader epoch, wakes who waits, and keeps every record", async () => {
    await using on = await three();
    await create(on.client, { name: "t", replicationFactor: 3 });
    await append(on.client, "t", oneRecord("a"));
    const waiting = fetchOne(on.client, "t", 1, { maxWaitMs: 60_000 });
    await eventually("the fetch", async () =>
      on.broker.topics()[0]?.partitions[0]?.waitingFetches === 1 ? true : null,
    );
    on.broker.moveLeader("t", 0, 3);
    expect((await waiting).errorCode).toBe(notLeaderOrFollower);
    const now = await on.connect(3);
    expect((await partitionsOf(now))[0]).toMatchObject({ leaderId: 3, leaderEpoch: 1 });
    expect(await append(now, "t", oneRecord("b"))).toMatchObject({ errorCode: none, baseOffset: 1 });
    expect((await append(on.client, "t", oneRecord())).errorCode).toBe(notLeaderOrFollower);
    expect(on.broker.records("t").map(({ value }) => String(value))).toEqual(["a", "b"]);
    const codes = [0, 1, 2].map((currentLeaderEpoch) => fetchOne(now, "t", 0, { currentLeaderEpoch }));
    expect((await Promise.all(codes)).map((answer) => answer.errorCode)).toEqual([
      errorCode.fencedLeaderEpoch,
      none,
      errorCode.unknownLeaderEpoch,
    ]);
  });

  test("where the records of an epoch end", async () => {
    await using on = await three();
    await create(on.client, { name: "t", replicationFactor: 3 });
    const endOf = async (client: RawClient, leaderEpoch: number) => {
      const partitions = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }];
      const { topics } = await client.send(offsetForLeaderEpoch, 4, { topics: [{ topic: "t", partitions }] });
      const { leaderEpoch: found, endOffset } = topics[0]?.partitions[0] ?? {};
      return [found, endOffset];
    };
    await append(on.client, "t", oneRecord());
    on.broker.moveLeader("t", 0, 2);
    on.broker.moveLeader("t", 0, 3);
    const third = await on.connect(3);
    expect(await endOf(third, 0)).toEqual([0, 1]);
    // Nothing was written in epoch 1, nor yet in 2.
    expect(await endOf(third, 1)).toEqual([0, 1]);
    expect(await endOf(third, 2)).toEqual([2, 1]);
    await append(third, "t", oneRecord());
    expect(await endOf(third, 1)).toEqual([0, 1]);
    expect(await endOf(third, 2)).toEqual([2, 2]);
    expect(await endOf(third, 3)).toEqual([-1, -1]);
  });

  test("a broker that did not hold a partition takes the place of the one that led it", async () => {
    await using on = await three();
    await create(on.client, { name: "t", replicationFactor: 1 });
    on.broker.moveLeader("t", 0, 2);
    expect((await partitionsOf(on.client))[0]).toMatchObject({
      leaderId: 2,
      replicaNodes: [2],
      isrNodes: [2],
    });
  });
});

describe("coordinators", () => {
  const members = (group: string) => ({ groupId: group, memberId: "m", generationId: 1 });
  const committing = {
    name: "t",
    partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }],
  };
  const producer = { transactionalId: "x", producerId: 0, producerEpoch: 0 };
  /** The error that a broker answers, one for each API that belongs to the coordinator of group "g" or of id "x". */
  const questions: Record<string, (client: RawClient) => Promise<number | undefined>> = {
    OffsetCommit: async (client) =>
      (await client.send(offsetCommit, 8, { groupId: "g", memberId: "", topics: [committing] })).topics[0]
        ?.partitions[0]?.errorCode,
    "OffsetFetch 1": async (client) =>
      (await client.send(offsetFetch, 1, { groupId: "g", topics: [{ name: "t", partitionIndexes: [0] }] }))
        .topics[0]?.partitions[0]?.errorCode,
    "OffsetFetch 7": async (client) =>
      (await client.send(offsetFetch, 7, { groupId: "g", topics: null })).errorCode,
    "OffsetFetch 8": async (client) =>
      (await client.send(offsetFetch, 8, { groups: [{ groupId: "g", topics: null }] })).groups[0]?.errorCode,
    JoinGroup: async (client) =>
      (
        await client.send(joinGroup, 5, {
          groupId: "g",
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 10_000,
          memberId: "",
          protocolType: "consumer",
          protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
        })
      ).errorCode,
    SyncGroup: async (client) =>
      (await client.send(syncGroup, 3, { ...members("g"), assignments: [] })).errorCode,
    Heartbeat: async (client) => (await client.send(heartbeat, 4, members("g"))).errorCode,
    LeaveGroup: async (client) => (await client.send(leaveGroup, 2, members("g"))).errorCode,
    DescribeGroups: async (client) =>
      (await client.send(describeGroups, 5, { groups: ["g"] })).groups[0]?.errorCode,
    DeleteGroups: async (client) =>
      (await client.send(deleteGroups, 2, { groupsNames: ["g"] })).results[0]?.errorCode,
    OffsetDelete: async (client) =>
      (await client.send(offsetDelete, 0, { groupId: "g", topics: [] })).errorCode,
    TxnOffsetCommit: async (client) =>
      (await client.send(txnOffsetCommit, 3, { ...producer, groupId: "g", topics: [committing] })).topics[0]
        ?.partitions[0]?.errorCode,
    InitProducerId: async (client) =>
      (await client.send(initProducerId, 4, { transactionalId: "x", transactionTimeoutMs: 1000 })).errorCode,
    AddPartitionsToTxn: async (client) =>
      (
        await client.send(addPartitionsToTxn, 3, {
          v3AndBelowTransactionalId: "x",
          v3AndBelowProducerId: 0,
          v3AndBelowProducerEpoch: 0,
          v3AndBelowTopics: [{ name: "t", partitions: [0] }],
        })
      ).resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode,
    AddOffsetsToTxn: async (client) =>
      (await client.send(addOffsetsToTxn, 3, { ...producer, groupId: "g" })).errorCode,
    EndTxn: async (client) => (await client.send(endTxn, 3, { ...producer, committed: true })).errorCode,
    DescribeTransactions: async (client) =>
      (await client.send(describeTransactions, 0, { transactionalIds: ["x"] })).transactionStates[0]
        ?.errorCode,
  };

  test.each(Object.entries(questions))(
    "%s is answered by the coordinator alone, wherever it is",
    async (_, ask) => {
      await using on = await three();
      await create(on.client, { name: "t", replicationFactor: 3 });
      for (const id of [2, 3]) {
        on.broker.moveCoordinator({ group: "g" }, id);
        on.broker.moveCoordinator({ transactionalId: "x" }, id);
        for (const asked of [1, 2, 3]) {
          const code = await ask(await on.connect(asked));
          if (asked === id) expect(code).not.toBe(notCoordinator);
          else expect(code).toBe(notCoordinator);
        }
      }
    },
  );

  async function coordinators(client: RawClient, keyType: number, keys: string[]) {
    const answer = await client.send(findCoordinator, 4, { keyType, coordinatorKeys: keys });
    return answer.coordinators.map(({ nodeId }) => nodeId);
  }

  test("are spread over the brokers, as every broker says", async () => {
    await using on = await three();
    const keys = Array.from({ length: 30 }, (_, index) => `group-${index}`);
    const found = await coordinators(on.client, 0, keys);
    expect(new Set(found)).toEqual(new Set([1, 2, 3]));
    expect(await coordinators(await on.connect(3), 0, keys)).toEqual(found);
  });

  test("lists hold what the asked broker coordinates, so that all of them together hold each once", async () => {
    await using on = await three();
    await create(on.client, { name: "t" });
    const ids = ["g0", "g1", "g2"];
    for (const [index, id] of ids.entries()) {
      on.broker.moveCoordinator({ group: id }, index + 1);
      on.broker.moveCoordinator({ transactionalId: id }, index + 1);
      const client = await on.connect(index + 1);
      await client.send(offsetCommit, 8, { groupId: id, memberId: "", topics: [committing] });
      await client.send(initProducerId, 4, { transactionalId: id, transactionTimeoutMs: 1000 });
    }
    for (const [index, id] of ids.entries()) {
      const client = await on.connect(index + 1);
      expect((await client.send(listGroups, 4, {})).groups.map(({ groupId }) => groupId)).toEqual([id]);
      const listed = await client.send(listTransactions, 0, { stateFilters: [], producerIdFilters: [] });
      expect(listed.transactionStates.map(({ transactionalId }) => transactionalId)).toEqual([id]);
    }
    expect(on.broker.groups().map(({ coordinatorId }) => coordinatorId)).toEqual([1, 2, 3]);
    expect(on.broker.transactions().map(({ coordinatorId }) => coordinatorId)).toEqual([1, 2, 3]);
  });

  test("members that wait are told of a move at once, and continue there with the ids that they have", async () => {
    const clock = new VirtualClock();
    await using on = await three({ clock });
    on.broker.moveCoordinator({ group: "g" }, 1);
    const join = (client: RawClient, memberId: string) =>
      client.send(joinGroup, 5, {
        groupId: "g",
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 30_000,
        memberId,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
      });
    const first = await join(on.client, (await join(on.client, "")).memberId);
    expect(first.errorCode).toBe(none);
    const second = await on.connect(1);
    const { memberId } = await join(second, "");
    const waiting = join(second, memberId);
    await eventually("the join", async () => (on.broker.groups()[0]?.members.length === 2 ? true : null));
    on.broker.moveCoordinator({ group: "g" }, 2);
    expect((await waiting).errorCode).toBe(notCoordinator);
    const [a, b] = [await on.connect(2), await on.connect(2)];
    const [one, two] = await Promise.all([join(a, first.memberId), join(b, memberId)]);
    expect([one, two]).toMatchObject([
      { errorCode: none, generationId: 2, members: [{}, {}] },
      { errorCode: none, generationId: 2 },
    ]);
    // Sessions continue there too.
    clock.advance(10_001);
    expect(on.broker.groups()).toMatchObject([{ state: "Empty", members: [] }]);
  });
});

describe("stopping and starting a broker", () => {
  test("others lead and coordinate in its place; back, it leads nothing until it is moved", async () => {
    await using on = await three();
    await create(on.client, { name: "t", replicationFactor: 3 });
    await append(on.client, "t", oneRecord("a"));
    on.broker.moveCoordinator({ group: "g" }, 1);
    await on.broker.stopBroker(1);
    await on.client.closed;
    await expect(on.connect(1)).rejects.toThrow("ECONNREFUSED");
    const second = await on.connect(2);
    const { brokers, controllerId } = await second.send(metadata, 8, { topics: [] });
    expect([brokers.map(({ nodeId }) => nodeId), controllerId]).toEqual([[2, 3], 2]);
    const without = { leaderId: 2, leaderEpoch: 1, isrNodes: [2, 3], offlineReplicas: [1] };
    expect((await partitionsOf(second))[0]).toMatchObject(without);
    expect(await append(second, "t", oneRecord("b"))).toMatchObject({ baseOffset: 1 });
    expect((await second.send(findCoordinator, 1, { key: "g" })).nodeId).not.toBe(1);
    const port = on.broker.nodes()[0]?.port;
    await on.broker.stopBroker(1);
    await on.broker.startBroker(1);
    await on.broker.startBroker(1);
    expect(on.broker.nodes()[0]).toMatchObject({ port, isRunning: true, leads: {} });
    expect((await partitionsOf(await on.connect(1)))[0]).toMatchObject({
      leaderId: 2,
      isrNodes: [1, 2, 3],
      offlineReplicas: [],
    });
    expect(on.broker.records("t").map(({ value }) => String(value))).toEqual(["a", "b"]);
  });

  test("what it alone held has no leader until it is back", async () => {
    await using on = await three();
    await create(on.client, { name: "t", numPartitions: 3, replicationFactor: 1 });
    await on.broker.stopBroker(2);
    const partitions = await partitionsOf(on.client);
    expect(partitions.map(({ leaderId, errorCode: code }) => [leaderId, code])).toEqual([
      [1, none],
      [-1, errorCode.leaderNotAvailable],
      [3, none],
    ]);
    expect((await append(on.client, "t", oneRecord(), { partition: 1 })).errorCode).toBe(notLeaderOrFollower);
    await on.broker.startBroker(2);
    expect((await partitionsOf(on.client))[1]).toMatchObject({ leaderId: 2, leaderEpoch: 2 });
    expect((await append(await on.connect(2), "t", oneRecord(), { partition: 1 })).errorCode).toBe(none);
  });

  test("with all of them stopped no session ends, and no transaction is decided in part", async () => {
    const clock = new VirtualClock();
    await using on = await started({ clock, brokers: 1 });
    await create(on.client, { name: "t" });
    const join = (client: RawClient, memberId: string) =>
      client.send(joinGroup, 5, {
        groupId: "g",
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 300_000,
        memberId,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
      });
    const { memberId, generationId } = await join(on.client, (await join(on.client, "")).memberId);
    const begun = await on.client.send(initProducerId, 4, {
      transactionalId: "x",
      transactionTimeoutMs: 20_000,
    });
    const adding = {
      v3AndBelowTransactionalId: "x",
      v3AndBelowProducerId: begun.producerId,
      v3AndBelowProducerEpoch: begun.producerEpoch,
      v3AndBelowTopics: [{ name: "t", partitions: [0] }],
    };
    await on.client.send(addPartitionsToTxn, 3, adding);
    await on.broker.stopBroker(1);
    clock.advance(60_000);
    expect(on.broker.groups()[0]?.members).toHaveLength(1);
    expect(on.broker.groups()[0]?.coordinatorId).toBe(null);
    expect(on.broker.transactions()[0]?.state).toBe("PrepareAbort");
    await on.broker.startBroker(1);
    const again = await on.connect(1);
    expect((await again.send(heartbeat, 4, { groupId: "g", memberId, generationId })).errorCode).toBe(none);
    clock.advance(1000);
    expect(on.broker.transactions()[0]?.state).toBe("CompleteAbort");
    clock.advance(10_000);
    expect(on.broker.groups()[0]?.members).toHaveLength(0);
  });

  test("requests that wait end with it", async () => {
    await using on = await three();
    await create(on.client, { name: "t", replicationFactor: 3 });
    const waiting = fetchOne(on.client, "t", 0, { maxWaitMs: 60_000 });
    await eventually("the fetch", async () =>
      on.broker.topics()[0]?.partitions[0]?.waitingFetches === 1 ? true : null,
    );
    await on.broker.stopBroker(1);
    await expect(waiting).rejects.toThrow(ConnectionClosedError);
    expect(on.broker.topics()[0]?.partitions[0]?.waitingFetches).toBe(0);
  });
});

describe("mistakes", () => {
  test("are named", async () => {
    await using on = await three();
    await create(on.client, { name: "t" });
    const { broker } = on;
    await broker.stopBroker(3);
    expect(() => broker.moveLeader("t", 0, 4)).toThrow(NoSuchBrokerError);
    expect(() => broker.moveLeader("t", 0, 4)).toThrow(/no broker 4.*1, 2, 3/);
    expect(() => broker.moveLeader("t", 0, 3)).toThrow(BrokerStoppedError);
    expect(() => broker.moveLeader("t", 1, 1)).toThrow(NoSuchPartitionError);
    expect(() => broker.moveCoordinator({ group: "g" }, 3)).toThrow(BrokerStoppedError);
    await expect(broker.stopBroker(4)).rejects.toThrow(NoSuchBrokerError);
    await expect(broker.startBroker(0)).rejects.toThrow(NoSuchBrokerError);
  });

  test.each([0, -1, 1.5, 101])("%s brokers there can't be", async (brokers) => {
    await expect(startBroker({ brokers })).rejects.toThrow(InvalidConfigError);
  });

  test("a port in the row that is taken: nothing of the row stays behind", async () => {
    const free = async (port: number) => {
      const probe = await startBroker({ port });
      await probe.stop();
      return true;
    };
    await eventually("two free ports in a row", async () => {
      await using taken = await started();
      const { port } = taken.broker;
      if (!(await free(port - 1).catch(() => false))) return null;
      await expect(startBroker({ port: port - 1, brokers: 2 })).rejects.toThrow(PortInUseError);
      return free(port - 1);
    });
  });
});
