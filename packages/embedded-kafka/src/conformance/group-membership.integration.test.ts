/** Who counts as a member of a group, and who need not be one: the same answers from this broker as from Apache Kafka. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { joinGroup } from "../protocol/messages/join-group.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { connectToCluster, coordinatorReady, freshTopic, uniqueName } from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
  await coordinatorReady(client, "any");
});
afterAll(() => client[Symbol.asyncDispose]());

async function commit(groupId: string, topics: readonly string[], who = {}): Promise<(number | undefined)[]> {
  const answer = await client.send(offsetCommit, 9, {
    groupId,
    memberId: "",
    ...who,
    topics: topics.map((name) => ({
      name,
      partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }],
    })),
  });
  return topics.map((name) => answer.topics.find((topic) => topic.name === name)?.partitions[0]?.errorCode);
}

test("a group without members takes offsets from anybody who says no generation", async () => {
  const { name } = await freshTopic(client);
  const groupId = uniqueName("g");
  expect(await commit(groupId, [name], { groupInstanceId: "instance" })).toEqual([0]);
  expect(await commit(groupId, [name], { memberId: "somebody" })).toEqual([0]);
  expect(await commit(groupId, [name], { memberId: "x", generationIdOrMemberEpoch: 1 })).toEqual([
    errorCode.unknownMemberId,
  ]);
});

test("partitions that are not there are told before the group is asked", async () => {
  const { name } = await freshTopic(client);
  const missing = uniqueName("none");
  const stranger = { memberId: "x", generationIdOrMemberEpoch: 3 };
  const { unknownTopicOrPartition, groupIdNotFound } = errorCode;
  expect(await commit(uniqueName("g"), [missing], stranger)).toEqual([unknownTopicOrPartition]);
  expect(await commit(uniqueName("g"), [missing, name], stranger)).toEqual([
    unknownTopicOrPartition,
    groupIdNotFound,
  ]);
});

test("from version 5 on SyncGroup wants to hear how the group shares, whoever asks", async () => {
  const sync = async (version: number, protocol: object) => {
    const request = { groupId: uniqueName("g"), generationId: 1, memberId: "x", assignments: [] };
    return (await client.send(syncGroup, version, { ...request, ...protocol })).errorCode;
  };
  expect(await sync(5, {})).toBe(errorCode.inconsistentGroupProtocol);
  expect(await sync(5, { protocolType: "consumer" })).toBe(errorCode.inconsistentGroupProtocol);
  expect(await sync(5, { protocolType: "consumer", protocolName: "range" })).toBe(errorCode.unknownMemberId);
  expect(await sync(4, {})).toBe(errorCode.unknownMemberId);
});

test("the first generation waits for nobody who was given an id and has not joined with it", async () => {
  const groupId = uniqueName("g");
  const join = (rest: object) =>
    client.send(joinGroup, 9, {
      groupId,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId: "",
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
      ...rest,
    });
  expect((await join({})).errorCode).toBe(errorCode.memberIdRequired);
  expect(await join({ groupInstanceId: "static" })).toMatchObject({ errorCode: 0, generationId: 1 });
});
