/** Groups that no consumer makes, and offsets of them: the same answers as from Apache Kafka. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { describeGroups } from "../protocol/messages/describe-groups.ts";
import { leaveGroup } from "../protocol/messages/leave-group.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { offsetDelete } from "../protocol/messages/offset-delete.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import {
  connectToCluster,
  coordinatorReady,
  eventually,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import { GroupClient } from "../testing/group-client.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";
import { settled, TransactionClient } from "../testing/transaction-client.ts";

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

/** One OffsetCommit; the coordinator of a group that nobody asked for before may load first. */
function commit(groupId: string, topic: string, committedMetadata: string, version = 9): Promise<number> {
  return settled(async () => {
    const { topics } = await client.send(offsetCommit, version, {
      groupId,
      generationIdOrMemberEpoch: -1,
      memberId: "",
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata }] }],
    });
    return topics[0]?.partitions[0]?.errorCode ?? -1;
  });
}

// Nobody can join it; what was written by hand goes there where no name was given.
test("the group without a name keeps offsets as any other", async () => {
  await coordinatorReady(client, "");
  const { name } = await freshTopic(client);
  for (const version of [2, 5, 9]) expect(await commit("", name, "by hand", version)).toBe(errorCode.none);
  const topics = [{ name, partitionIndexes: [0] }];
  for (const version of [1, 2, 7, 8, 9]) {
    const answer = await client.send(offsetFetch, version, {
      groupId: "",
      topics,
      groups: [{ groupId: "", topics }],
    });
    const found = (answer.groups[0] ?? answer).topics[0]?.partitions;
    expect(found).toMatchObject([{ errorCode: 0, committedOffset: 3, metadata: "by hand" }]);
  }
  const described = await client.send(describeGroups, 6, { groups: [""] });
  expect(described.groups).toMatchObject([{ errorCode: 0, groupState: "Empty", protocolType: "" }]);
  const offsetDeleted = await client.send(offsetDelete, 0, {
    groupId: "",
    topics: [{ name, partitions: [{ partitionIndex: 0 }] }],
  });
  expect(offsetDeleted.errorCode).toBe(errorCode.invalidGroupId);
  const deleted = await client.send(deleteGroups, 2, { groupsNames: ["", ""] });
  expect(deleted.results).toMatchObject([{ groupId: "", errorCode: 0 }]);
  const again = await client.send(deleteGroups, 2, { groupsNames: [""] });
  expect(again.results).toMatchObject([{ groupId: "", errorCode: errorCode.groupIdNotFound }]);
});

/** A stable group of one, and somebody who was given an id and has not joined with it. */
async function memberAndGuest() {
  const groupId = uniqueName("group");
  await coordinatorReady(client, groupId);
  const first = await GroupClient.of(groupId);
  await first.join();
  await first.sync([{ memberId: first.memberId, assignment: Buffer.from("all") }]);
  const second = await GroupClient.of(groupId);
  expect((await second.joinOnce()).errorCode).toBe(errorCode.memberIdRequired);
  const end = async () => {
    await second[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
  };
  return { groupId, first, second, [Symbol.asyncDispose]: end };
}

test("who is removed while its join waits is told no member id", async () => {
  await using group = await memberAndGuest();
  const { groupId, second } = group;
  const { memberId } = second;
  const waiting = second.joinOnce();
  await eventually("the second member's join", async () => {
    const { groups } = await client.send(describeGroups, 5, { groups: [groupId] });
    return groups[0]?.members.length === 2 ? true : null;
  });
  const { members } = await client.send(leaveGroup, 5, { groupId, members: [{ memberId }] });
  expect(members).toMatchObject([{ memberId, errorCode: errorCode.none }]);
  expect(await waiting).toMatchObject({ errorCode: errorCode.unknownMemberId, memberId: "" });
});

test("who was given an id and leaves without having joined makes the others rebalance", async () => {
  await using group = await memberAndGuest();
  const { first, second } = group;
  expect(await first.heartbeat()).toBe(errorCode.none);
  expect(await second.leave()).toBe(errorCode.none);
  expect(await first.heartbeat()).toBe(errorCode.rebalanceInProgress);
  expect(await first.join()).toMatchObject({ errorCode: errorCode.none, generationId: 2 });
});

test.each([
  ["4096 letters", "m".repeat(4096), errorCode.none],
  ["4096 letters of two bytes each", "é".repeat(4096), errorCode.none],
  ["2048 letters of two UTF-16 units each", "😀".repeat(2048), errorCode.none],
  ["2049 of them", "😀".repeat(2049), errorCode.offsetMetadataTooLarge],
  ["4097 letters", "m".repeat(4097), errorCode.offsetMetadataTooLarge],
])("an offset's metadata of %s", async (_what, metadata, code) => {
  const groupId = uniqueName("group");
  await coordinatorReady(client, groupId);
  const { name } = await freshTopic(client);
  expect(await commit(groupId, name, metadata)).toBe(code);
  await using producer = await TransactionClient.started();
  expect(await producer.addGroup(groupId)).toBe(errorCode.none);
  expect(await producer.commitOffset(groupId, name, 3, { committedMetadata: metadata })).toBe(code);
  expect(await producer.end(false)).toBe(errorCode.none);
});
