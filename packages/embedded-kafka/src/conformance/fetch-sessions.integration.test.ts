/** Incremental fetch sessions (KIP-227): the same answers from this broker as from Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { readRecords } from "../records/record.ts";
import {
  append,
  batchOf,
  type CreatedTopic,
  connectToCluster,
  eventually,
  fetchOne,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import { batchesIn } from "../testing/consumed.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

interface Session {
  readonly sessionId: number;
  readonly sessionEpoch: number;
}

interface Asked extends Partial<Session> {
  /** Offsets by partition of the topic. */
  readonly offsets?: Readonly<Record<number, number>>;
  readonly forgotten?: readonly number[];
  readonly version?: number;
  readonly maxWaitMs?: number;
}

/** One Fetch about a topic, and what its answer says: `partition: error, high watermark, values`. */
async function ask(topic: CreatedTopic, asked: Asked = {}, by: RawClient = client) {
  const { offsets = {}, forgotten = [], version = 16, maxWaitMs = 0 } = asked;
  const named = version >= 13 ? { topicId: topic.id } : { topic: topic.name };
  const partitions = Object.entries(offsets).map(([partition, fetchOffset]) => ({
    partition: Number(partition),
    fetchOffset,
    partitionMaxBytes: 1 << 20,
  }));
  const answer = await by.send(fetch, version, {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    sessionId: asked.sessionId ?? 0,
    sessionEpoch: asked.sessionEpoch ?? 0,
    topics: partitions.length === 0 ? [] : [{ ...named, partitions }],
    forgottenTopicsData: forgotten.length === 0 ? [] : [{ ...named, partitions: forgotten }],
  });
  const told = answer.responses.flatMap((one) =>
    one.partitions.map(({ partitionIndex, errorCode: code, highWatermark, records }) => [
      `${partitionIndex}: ${code}, ${highWatermark}`,
      ...batchesIn(records).flatMap((batch) => [...readRecords(batch)].map(({ value }) => String(value))),
    ]),
  );
  return { errorCode: answer.errorCode, sessionId: answer.sessionId, told: told.sort() };
}

describe("a session", () => {
  test("tells only what is new", async () => {
    const topic = await freshTopic(client, { partitions: 3 });
    await append(client, topic.name, batchOf(["a"]));
    const first = await ask(topic, { offsets: { 0: 0, 1: 0, 2: 0 } });
    expect(first.told).toEqual([["0: 0, 1", "a"], ["1: 0, 0"], ["2: 0, 0"]]);
    const { sessionId } = first;
    expect(sessionId).toBeGreaterThan(0);
    const moved = await ask(topic, { sessionId, sessionEpoch: 1, offsets: { 0: 1 } });
    expect(moved).toEqual({ errorCode: 0, sessionId, told: [] });
    await append(client, topic.name, batchOf(["b"]), { partition: 1 });
    const second = await ask(topic, { sessionId, sessionEpoch: 2 });
    expect(second.told).toEqual([["1: 0, 1", "b"]]);
    // The client has not said that it is further.
    expect((await ask(topic, { sessionId, sessionEpoch: 3 })).told).toEqual([["1: 0, 1", "b"]]);
    expect((await ask(topic, { sessionId, sessionEpoch: 4, offsets: { 1: 1 } })).told).toEqual([]);
  });

  test("takes partitions in and forgets them", async () => {
    const topic = await freshTopic(client, { partitions: 2 });
    for (const partition of [0, 1]) await append(client, topic.name, batchOf(["a"]), { partition });
    const { sessionId } = await ask(topic, { offsets: { 0: 1 } });
    const added = await ask(topic, { sessionId, sessionEpoch: 1, offsets: { 1: 1 } });
    expect(added.told).toEqual([["1: 0, 1"]]);
    await append(client, topic.name, batchOf(["b"]));
    const forgot = await ask(topic, { sessionId, sessionEpoch: 2, forgotten: [0] });
    expect(forgot.told).toEqual([]);
    expect(forgot.sessionId).toBe(sessionId);
    const last = await ask(topic, { sessionId, sessionEpoch: 3, forgotten: [1] });
    expect(last).toEqual({ errorCode: 0, sessionId: 0, told: [] });
    const gone = await ask(topic, { sessionId, sessionEpoch: 4, offsets: { 0: 0 } });
    expect(gone.errorCode).toBe(errorCode.fetchSessionIdNotFound);
  });

  test("tells errors again until they are over", async () => {
    const topic = await freshTopic(client);
    const { sessionId, told } = await ask(topic, { offsets: { 0: 5 } });
    expect(told).toEqual([[`0: ${errorCode.offsetOutOfRange}, -1`]]);
    const again = await ask(topic, { sessionId, sessionEpoch: 1 });
    expect(again.told).toEqual([[`0: ${errorCode.offsetOutOfRange}, -1`]]);
    expect((await ask(topic, { sessionId, sessionEpoch: 2, offsets: { 0: 0 } })).told).toEqual([["0: 0, 0"]]);
    expect((await ask(topic, { sessionId, sessionEpoch: 3 })).told).toEqual([]);
  });

  test("waits for what is new", async () => {
    const topic = await freshTopic(client);
    await using other = await connectToCluster();
    const { sessionId } = await ask(topic, { offsets: { 0: 0 } }, other);
    const waiting = ask(topic, { sessionId, sessionEpoch: 1, maxWaitMs: 20_000 }, other);
    await fetchOne(client, topic.name, 0);
    await append(client, topic.name, batchOf(["a"]));
    expect((await waiting).told).toEqual([["0: 0, 1", "a"]]);
  });

  test("goes on over another connection", async () => {
    const topic = await freshTopic(client);
    const { sessionId } = await ask(topic, { offsets: { 0: 0 } });
    await using other = await connectToCluster();
    await append(client, topic.name, batchOf(["a"]));
    expect((await ask(topic, { sessionId, sessionEpoch: 1 }, other)).told).toEqual([["0: 0, 1", "a"]]);
  });

  test("refuses another epoch than the next, and goes on", async () => {
    const topic = await freshTopic(client);
    const { sessionId } = await ask(topic, { offsets: { 0: 0 } });
    for (const sessionEpoch of [2, 7]) {
      const refused = await ask(topic, { sessionId, sessionEpoch });
      expect(refused).toEqual({ errorCode: errorCode.invalidFetchSessionEpoch, sessionId: 0, told: [] });
    }
    expect((await ask(topic, { sessionId, sessionEpoch: 1 })).errorCode).toBe(errorCode.none);
    expect((await ask(topic, { sessionId, sessionEpoch: 1 })).errorCode).toBe(
      errorCode.invalidFetchSessionEpoch,
    );
  });

  test("of names is not one of topic ids", async () => {
    const topic = await freshTopic(client);
    for (const [version, then] of [
      [12, 13],
      [13, 12],
    ] as const) {
      const { sessionId } = await ask(topic, { offsets: { 0: 0 }, version });
      const other = await ask(topic, { sessionId, sessionEpoch: 1, offsets: { 0: 0 }, version: then });
      expect(other).toEqual({ errorCode: errorCode.fetchSessionTopicIdError, sessionId: 0, told: [] });
      expect((await ask(topic, { sessionId, sessionEpoch: 1, version })).errorCode).toBe(errorCode.none);
    }
  });

  test.each([12, 17])("of version %i ends when its client says so or begins anew", async (version) => {
    const topic = await freshTopic(client);
    const offsets = { 0: 0 };
    const first = await ask(topic, { offsets, version });
    const second = await ask(topic, { ...first, sessionEpoch: 0, offsets, version });
    expect(second.told).toEqual([["0: 0, 0"]]);
    expect(second.sessionId).toBeGreaterThan(0);
    const old = await ask(topic, { sessionId: first.sessionId, sessionEpoch: 1, version });
    expect(old.errorCode).toBe(errorCode.fetchSessionIdNotFound);
    const last = await ask(topic, { sessionId: second.sessionId, sessionEpoch: -1, offsets, version });
    expect(last).toEqual({ errorCode: 0, sessionId: 0, told: [["0: 0, 0"]] });
    const ended = await ask(topic, { sessionId: second.sessionId, sessionEpoch: 1, version });
    expect(ended.errorCode).toBe(errorCode.fetchSessionIdNotFound);
  });

  test("is made of topics that are not there as well", async () => {
    const none = { name: uniqueName("none"), id: "AAAAAAAAAAAAAAAAAAAABw" };
    for (const [version, code] of [
      [12, errorCode.unknownTopicOrPartition],
      [16, errorCode.unknownTopicId],
    ] as const) {
      const { sessionId, told } = await ask(none, { offsets: { 0: 0 }, version });
      expect(sessionId).toBeGreaterThan(0);
      expect(told).toEqual([[`0: ${code}, -1`]]);
      expect((await ask(none, { sessionId, sessionEpoch: 1, version })).told).toEqual([[`0: ${code}, -1`]]);
    }
  });

  test("is told that a topic of it was deleted", async () => {
    const topic = await freshTopic(client);
    const { sessionId } = await ask(topic, { offsets: { 0: 0 } });
    await client.send(deleteTopics, 5, { topicNames: [topic.name], timeoutMs: 10_000 });
    let sessionEpoch = 1;
    const gone = await eventually("an error", async () => {
      const { told } = await ask(topic, { sessionId, sessionEpoch: sessionEpoch++ });
      // Apache Kafka may be asked between giving up the partition's lead and forgetting it.
      const isGone = told.length > 0 && told[0]?.[0] !== `0: ${errorCode.notLeaderOrFollower}, -1`;
      return isGone ? told : null;
    });
    expect(gone).toEqual([[`0: ${errorCode.unknownTopicOrPartition}, -1`]]);
  });
});

test("a first request about nothing, and a session that nobody has", async () => {
  const nothing = { name: "", id: ZERO_UUID };
  expect((await ask(nothing)).errorCode).toBe(errorCode.none);
  expect(await ask(nothing, { sessionId: 0, sessionEpoch: 3 })).toEqual({
    errorCode: errorCode.fetchSessionIdNotFound,
    sessionId: 0,
    told: [],
  });
});
