/** Consumer groups and their offsets: the same answers from this broker as from Apache Kafka. */
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { describeGroups } from "../protocol/messages/describe-groups.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { joinGroup } from "../protocol/messages/join-group.ts";
import { leaveGroup } from "../protocol/messages/leave-group.ts";
import { listGroups } from "../protocol/messages/list-groups.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { offsetDelete } from "../protocol/messages/offset-delete.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import {
  connectToCluster,
  coordinatorReady,
  eventually,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import { GroupClient, subscription } from "../testing/group-client.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
  await coordinatorReady(client, "any");
});
afterAll(() => client[Symbol.asyncDispose]());

const bytes = (text: string) => Buffer.from(text);

/** This machine's, as Java writes them: a broker in a container sees us come from the bridge. */
const OWN_ADDRESSES = [
  "/0:0:0:0:0:0:0:1",
  ...Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => `/${address}`) ?? []),
];

/** A group of one member that is stable, with an assignment. */
async function stableGroup(groupId = uniqueName("group")) {
  const member = await GroupClient.of(groupId);
  await member.join();
  await member.sync([{ memberId: member.memberId, assignment: bytes("all of it") }]);
  return member;
}

async function state(groupId: string) {
  const { groups } = await client.send(describeGroups, 5, { groups: [groupId] });
  return groups[0];
}

describe("JoinGroup", () => {
  test("gives a new member an id first, and makes the first one leader", async () => {
    await using member = await GroupClient.of(uniqueName("group"));
    const first = await member.joinOnce();
    expect(first).toMatchObject({
      errorCode: errorCode.memberIdRequired,
      generationId: -1,
      leader: "",
      members: [],
    });
    expect(member.memberId).toMatch(/^member-/);
    expect(await member.joinOnce()).toMatchObject({
      errorCode: 0,
      generationId: 1,
      protocolType: "consumer",
      protocolName: "range",
      leader: member.memberId,
      skipAssignment: false,
      memberId: member.memberId,
      members: [{ memberId: member.memberId, groupInstanceId: null, metadata: subscription() }],
    });
  });

  test("in old versions takes a member at once", async () => {
    await using member = await GroupClient.of(uniqueName("group"));
    expect(await member.joinOnce(3)).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: member.memberId,
    });
    expect(await member.joinOnce(0)).toMatchObject({ errorCode: 0, memberId: member.memberId });
  });

  test.each([
    ["an empty group id", { groupId: "" }, errorCode.invalidGroupId],
    ["a session that is too short", { sessionTimeoutMs: 10 }, errorCode.invalidSessionTimeout],
    ["a session that is too long", { sessionTimeoutMs: 100_000_000 }, errorCode.invalidSessionTimeout],
    ["a member id that was never given", { memberId: "made-up" }, errorCode.unknownMemberId],
    ["no protocols", { protocols: [] }, errorCode.inconsistentGroupProtocol],
    ["no type of protocol", { protocolType: "" }, errorCode.inconsistentGroupProtocol],
  ])("refuses %s", async (_what, change, code) => {
    const answer = await client.send(joinGroup, 6, {
      groupId: uniqueName("group"),
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: "",
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: subscription() }],
      ...change,
    });
    expect(answer.errorCode).toBe(code);
  });

  test("refuses who has nothing in common with the members", async () => {
    await using member = await stableGroup();
    await using other = await GroupClient.of(member.groupId);
    const join = (change: object) => other.joinOnce(9, change);
    expect((await join({ protocolType: "connect" })).errorCode).toBe(errorCode.inconsistentGroupProtocol);
    const strange = [{ name: "strange", metadata: subscription() }];
    expect((await join({ protocols: strange })).errorCode).toBe(errorCode.inconsistentGroupProtocol);
  });

  test("waits for all members, and tells only the leader who they are", async () => {
    await using leader = await stableGroup();
    await using follower = await GroupClient.of(leader.groupId);
    const following = follower.join();
    await eventually("the rebalance", async () =>
      (await leader.heartbeat()) === errorCode.rebalanceInProgress ? true : null,
    );
    const led = await leader.join();
    const followed = await following;
    expect(led).toMatchObject({ errorCode: 0, generationId: 2, leader: leader.memberId });
    expect(led.members.map((one) => one.memberId).sort()).toEqual(
      [leader.memberId, follower.memberId].sort(),
    );
    expect(followed).toMatchObject({ errorCode: 0, generationId: 2, leader: leader.memberId, members: [] });
    const assigned = follower.sync();
    await leader.sync([
      { memberId: leader.memberId, assignment: bytes("L") },
      { memberId: follower.memberId, assignment: bytes("F") },
    ]);
    expect(await assigned).toMatchObject({ errorCode: 0, assignment: bytes("F"), protocolName: "range" });
    expect(await leader.sync()).toMatchObject({ errorCode: 0, assignment: bytes("L") });
  });

  test("elects the protocol that most members prefer", async () => {
    const protocols = (...names: string[]) =>
      names.map((name) => ({ name, metadata: subscription([], name) }));
    const groupId = uniqueName("group");
    await using a = await GroupClient.of(groupId, { protocols: protocols("x", "y") });
    await using b = await GroupClient.of(groupId, { protocols: protocols("y", "x") });
    await using c = await GroupClient.of(groupId, { protocols: protocols("z", "y", "x") });
    await a.join();
    await a.sync([], { protocolName: "x" });
    const others = [b.join(), c.join()];
    await eventually("two more members", async () =>
      (await state(groupId))?.members.length === 3 ? true : null,
    );
    expect(await a.join()).toMatchObject({ protocolName: "y" });
    await Promise.all(others);
  });

  test("of a follower with nothing new does not disturb the others, of the leader it does", async () => {
    await using leader = await stableGroup();
    expect((await leader.join()).generationId).toBe(2);
    expect((await leader.sync()).errorCode).toBe(0);
    const changed = [{ name: "range", metadata: subscription([], "other topics") }];
    expect((await leader.join({ protocols: changed })).generationId).toBe(3);
  });
});

describe("SyncGroup, Heartbeat and LeaveGroup", () => {
  test("refuse strangers, other generations and other protocols", async () => {
    await using member = await stableGroup();
    expect(await member.heartbeat()).toBe(0);
    expect(await member.heartbeat({ generationId: 7 })).toBe(errorCode.illegalGeneration);
    expect(await member.heartbeat({ memberId: "made-up" })).toBe(errorCode.unknownMemberId);
    expect((await member.sync([], { protocolName: "strange" })).errorCode).toBe(
      errorCode.inconsistentGroupProtocol,
    );
    await using stranger = await GroupClient.of(uniqueName("none"));
    stranger.memberId = "made-up";
    expect(await stranger.heartbeat()).toBe(errorCode.unknownMemberId);
    expect((await stranger.sync()).errorCode).toBe(errorCode.unknownMemberId);
    expect(await stranger.leave()).toBe(errorCode.unknownMemberId);
  });

  test("a heartbeat between join and sync is fine", async () => {
    await using member = await GroupClient.of(uniqueName("group"));
    await member.join();
    expect((await state(member.groupId))?.groupState).toBe("CompletingRebalance");
    expect(await member.heartbeat()).toBe(0);
  });

  test("who leaves is gone, and the group is empty after the last one", async () => {
    await using member = await stableGroup();
    expect(await member.leave()).toBe(0);
    expect(await member.heartbeat()).toBe(errorCode.unknownMemberId);
    expect(await member.leave()).toBe(errorCode.unknownMemberId);
    const old = await client.send(leaveGroup, 1, {
      groupId: member.groupId,
      memberId: "made-up",
      members: [],
    });
    expect(old.errorCode).toBe(errorCode.unknownMemberId);
  });

  test("when one leaves, the others rebalance", async () => {
    await using leader = await stableGroup();
    await using follower = await GroupClient.of(leader.groupId);
    const following = follower.join();
    await eventually("the rebalance", async () =>
      (await leader.heartbeat()) === errorCode.rebalanceInProgress ? true : null,
    );
    await leader.join();
    await following;
    expect(await leader.leave()).toBe(0);
    expect(await follower.heartbeat()).toBe(errorCode.rebalanceInProgress);
    expect(await follower.join()).toMatchObject({ errorCode: 0, generationId: 3, leader: follower.memberId });
  });
});

describe("static members", () => {
  const options = { groupInstanceId: "instance-1" };

  test("need no id first, and take their own place again without a rebalance", async () => {
    const groupId = uniqueName("group");
    await using before = await GroupClient.of(groupId, options);
    expect(await before.joinOnce()).toMatchObject({ errorCode: 0, generationId: 1 });
    expect(before.memberId).toMatch(/^instance-1-/);
    await before.sync([{ memberId: before.memberId, assignment: bytes("mine") }]);
    await using after = await GroupClient.of(groupId, options);
    const again = await after.joinOnce();
    expect(again).toMatchObject({
      errorCode: 0,
      generationId: 1,
      skipAssignment: true,
      leader: after.memberId,
    });
    expect(after.memberId).not.toBe(before.memberId);
    expect(again.members).toHaveLength(1);
    expect((await after.sync()).assignment).toEqual(bytes("mine"));
    expect(await before.heartbeat()).toBe(errorCode.fencedInstanceId);
    expect((await before.joinOnce()).errorCode).toBe(errorCode.fencedInstanceId);
    expect((await before.sync()).errorCode).toBe(errorCode.fencedInstanceId);
    expect(await before.leave()).toBe(errorCode.fencedInstanceId);
  });

  test("that lead and can't skip an assignment are told that their old self leads", async () => {
    const groupId = uniqueName("group");
    await using before = await GroupClient.of(groupId, options);
    await before.joinOnce(5);
    await before.sync([{ memberId: before.memberId, assignment: bytes("mine") }]);
    await using after = await GroupClient.of(groupId, options);
    const again = await after.joinOnce(5);
    expect(again).toMatchObject({ errorCode: 0, generationId: 1, leader: before.memberId, members: [] });
  });

  test("make the group rebalance where its protocol changes, and not for another subscription", async () => {
    const groupId = uniqueName("group");
    await using before = await GroupClient.of(groupId, options);
    await before.joinOnce();
    await before.sync();
    const after = async (...names: string[]) => {
      await using member = await GroupClient.of(groupId, {
        ...options,
        protocols: names.map((name) => ({ name, metadata: subscription(["other-topic"]) })),
      });
      return (await member.joinOnce()).generationId;
    };
    expect(await after("range", "roundrobin")).toBe(1);
    expect(await after("roundrobin")).toBe(2);
  });

  test("can be removed by their instance id alone", async () => {
    const groupId = uniqueName("group");
    await using member = await GroupClient.of(groupId, options);
    await member.joinOnce();
    await member.sync();
    const { members } = await client.send(leaveGroup, 4, {
      groupId,
      members: [{ memberId: "", groupInstanceId: "instance-1" }],
    });
    expect(members).toMatchObject([{ errorCode: 0, groupInstanceId: "instance-1" }]);
    expect((await state(groupId))?.groupState).toBe("Empty");
  });
});

describe("offsets", () => {
  const fetched = async (groupId: string, topic: string | null, version = 7) => {
    const topics = topic === null ? null : [{ name: topic, partitionIndexes: [0] }];
    const answer = await client.send(offsetFetch, version, { groupId, topics });
    return answer.topics.map(({ name, partitions }) => [
      name,
      partitions[0]?.committedOffset,
      partitions[0]?.metadata,
    ]);
  };

  test("are kept for members of the present generation", async () => {
    const { name } = await freshTopic(client);
    await using member = await stableGroup();
    expect(await member.commit(name, 5, { committedMetadata: "m" })).toBe(0);
    expect(await fetched(member.groupId, name)).toEqual([[name, 5, "m"]]);
    expect(await member.commit(name, 6, { generationId: 9 })).toBe(errorCode.illegalGeneration);
    expect(await member.commit(name, 6, { memberId: "made-up" })).toBe(errorCode.unknownMemberId);
    expect(await member.commit(name, 6, { memberId: "", generationId: -1 })).toBe(errorCode.unknownMemberId);
    expect(await member.commit(uniqueName("none"), 6)).toBe(errorCode.unknownTopicOrPartition);
    expect(await member.commit(name, 6, { committedMetadata: "x".repeat(4097) })).toBe(
      errorCode.offsetMetadataTooLarge,
    );
    expect(await fetched(member.groupId, name)).toEqual([[name, 5, "m"]]);
  });

  test("can be committed without any members", async () => {
    const { name } = await freshTopic(client);
    await using simple = await GroupClient.of(uniqueName("group"));
    expect(await simple.commit(name, 3)).toBe(0);
    expect(await fetched(simple.groupId, null)).toEqual([[name, 3, ""]]);
    expect((await state(simple.groupId))?.groupState).toBe("Empty");
    await using late = await GroupClient.of(uniqueName("none"));
    expect(await late.commit(name, 3, { generationId: 4 })).toBe(errorCode.groupIdNotFound);
    expect(await late.commit(name, 3, { generationId: 4, version: 8 })).toBe(errorCode.illegalGeneration);
  });

  test("are not taken between a join and its sync, and are during the next rebalance", async () => {
    const { name } = await freshTopic(client);
    await using member = await GroupClient.of(uniqueName("group"));
    await member.join();
    expect(await member.commit(name, 1)).toBe(errorCode.rebalanceInProgress);
    await member.sync();
    await using other = await GroupClient.of(member.groupId);
    const joining = other.join();
    await eventually("the rebalance", async () =>
      (await member.heartbeat()) === errorCode.rebalanceInProgress ? true : null,
    );
    expect(await member.commit(name, 2)).toBe(0);
    await member.join();
    await joining;
  });

  test("that were never committed are -1", async () => {
    const { name } = await freshTopic(client);
    expect(await fetched(uniqueName("none"), name)).toEqual([[name, -1, ""]]);
    expect(await fetched(uniqueName("none"), name, 1)).toEqual([[name, -1, ""]]);
    expect(await fetched(uniqueName("none"), null)).toEqual([]);
  });

  test("of several groups come in one answer", async () => {
    const { name } = await freshTopic(client);
    const ids = [uniqueName("group"), uniqueName("group")];
    for (const [index, id] of ids.entries()) {
      await using simple = await GroupClient.of(id);
      await simple.commit(name, index + 10);
    }
    const { groups } = await client.send(offsetFetch, 9, {
      groups: ids.map((groupId) => ({ groupId, topics: null })),
      requireStable: true,
    });
    const found = groups.map((one) => [
      one.groupId,
      one.errorCode,
      one.topics[0]?.partitions[0]?.committedOffset,
    ]);
    expect(new Set(found)).toEqual(new Set(ids.map((id, index) => [id, 0, index + 10])));
  });

  test("go with their topic", async () => {
    const { name } = await freshTopic(client);
    await using simple = await GroupClient.of(uniqueName("group"));
    await simple.commit(name, 3);
    await client.send(deleteTopics, 5, { topicNames: [name], timeoutMs: 10_000 });
    await eventually("the end of the offsets", async () =>
      (await fetched(simple.groupId, null)).length === 0 ? true : null,
    );
  });

  test("can be deleted where no member reads the topic", async () => {
    const read = await freshTopic(client);
    const unread = await freshTopic(client);
    await using member = await GroupClient.of(uniqueName("group"), {
      protocols: [{ name: "range", metadata: subscription([read.name]) }],
    });
    await member.join();
    await member.sync();
    await member.commit(read.name, 1);
    await member.commit(unread.name, 2);
    const remove = async (groupId: string) => {
      const answer = await client.send(offsetDelete, 0, {
        groupId,
        topics: [read, unread].map(({ name }) => ({ name, partitions: [{ partitionIndex: 0 }] })),
      });
      const codes = new Map(answer.topics.map((one) => [one.name, one.partitions[0]?.errorCode]));
      return [answer.errorCode, codes.get(read.name), codes.get(unread.name)];
    };
    expect(await remove(member.groupId)).toEqual([0, errorCode.groupSubscribedToTopic, 0]);
    expect(await fetched(member.groupId, null)).toEqual([[read.name, 1, ""]]);
    expect((await remove(uniqueName("none")))[0]).toBe(errorCode.groupIdNotFound);
  });
});

describe("looking at groups", () => {
  test("FindCoordinator names a broker that Metadata knows", async () => {
    const old = await client.send(findCoordinator, 2, { key: "any", keyType: 0 });
    expect(old.errorMessage).toBe("NONE");
    const { coordinators } = await client.send(findCoordinator, 4, {
      keyType: 0,
      coordinatorKeys: ["any", "other"],
    });
    const { brokers } = await client.send(metadata, 5, { topics: [] });
    expect(old.errorCode).toBe(0);
    expect(coordinators.map((one) => one.key).sort()).toEqual(["any", "other"]);
    for (const { nodeId, host, port } of [old, ...coordinators]) {
      expect(brokers.map((one) => [one.nodeId, one.host, one.port])).toContainEqual([nodeId, host, port]);
    }
  });

  test("DescribeGroups shows members, and unknown groups as dead", async () => {
    await using member = await stableGroup();
    const described = await state(member.groupId);
    expect(described).toMatchObject({
      errorCode: 0,
      groupState: "Stable",
      protocolType: "consumer",
      protocolData: "range",
      members: [
        {
          memberId: member.memberId,
          groupInstanceId: null,
          clientId: "member",
          memberMetadata: subscription(),
          memberAssignment: bytes("all of it"),
        },
      ],
    });
    expect(OWN_ADDRESSES).toContain(described?.members[0]?.clientHost);
    const none = uniqueName("none");
    expect(await state(none)).toMatchObject({ errorCode: 0, groupState: "Dead", members: [] });
    const { groups } = await client.send(describeGroups, 6, { groups: [none] });
    expect(groups[0]).toMatchObject({ errorCode: errorCode.groupIdNotFound, groupState: "Dead" });
  });

  test("ListGroups filters by state and type", async () => {
    await using member = await stableGroup();
    const listed = async (statesFilter: string[], typesFilter: string[]) => {
      const { groups } = await client.send(listGroups, 5, { statesFilter, typesFilter });
      return groups.find((one) => one.groupId === member.groupId);
    };
    const expected = { protocolType: "consumer", groupState: "Stable", groupType: "classic" };
    expect(await listed([], [])).toMatchObject(expected);
    expect(await listed(["stable"], ["CLASSIC"])).toMatchObject(expected);
    expect(await listed(["Empty"], [])).toBeUndefined();
    expect(await listed([], ["consumer"])).toBeUndefined();
  });

  test("DeleteGroups takes empty groups only", async () => {
    await using member = await stableGroup();
    const remove = async () => {
      const { results } = await client.send(deleteGroups, 2, { groupsNames: [member.groupId] });
      return results[0]?.errorCode;
    };
    expect(await remove()).toBe(errorCode.nonEmptyGroup);
    await member.leave();
    expect(await remove()).toBe(0);
    expect(await remove()).toBe(errorCode.groupIdNotFound);
    expect((await state(member.groupId))?.groupState).toBe("Dead");
  });
});
