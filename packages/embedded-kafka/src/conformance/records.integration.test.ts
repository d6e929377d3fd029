/** Producing and consuming: the same answers from this broker as from Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { readHeader } from "../records/batch.ts";
import { crc32c } from "../records/crc32c.ts";
import { buildBatch, readRecords } from "../records/record.ts";
import {
  append,
  batchOf,
  connectToCluster,
  eventually,
  fetchOne,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import { batchesIn } from "../testing/consumed.ts";
import { ConnectionClosedError, type RawClient } from "../testing/raw-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";

answersAreRecorded(import.meta.url);

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

/** A batch with another byte or two, and a checksum that fits again. */
function patched(batch: Buffer, patch: (batch: Buffer) => void): Buffer {
  patch(batch);
  batch.writeUInt32BE(crc32c(batch, 21), 17);
  return batch;
}

function withLengthOf(batch: Buffer, length: number): Buffer {
  batch.writeInt32BE(length, 8);
  return batch;
}

function valuesIn(records: Buffer | null): string[] {
  return batchesIn(records).flatMap((batch) => [...readRecords(batch)].map(({ value }) => String(value)));
}

describe("Produce", () => {
  test("gives each batch the next offsets and keeps its bytes", async () => {
    const { name } = await freshTopic(client);
    const batch = batchOf(["a", "b"]);
    expect(await append(client, name, batch)).toMatchObject({
      errorCode: 0,
      baseOffset: 0,
      logAppendTimeMs: -1,
      logStartOffset: 0,
    });
    expect(await append(client, name, batchOf(["c"]), { acks: 1, version: 3 })).toMatchObject({
      baseOffset: 2,
    });
    const { records, highWatermark } = await fetchOne(client, name, 0);
    expect(highWatermark).toBe(3);
    expect(valuesIn(records)).toEqual(["a", "b", "c"]);
    // All but base offset, length and leader epoch, which are the broker's.
    expect(records?.subarray(16, batch.length)).toEqual(batch.subarray(16));
  });

  test("refuses what is not for it", async () => {
    const { name } = await freshTopic(client);
    expect(await append(client, uniqueName("none"), batchOf(["a"]))).toMatchObject({
      errorCode: errorCode.unknownTopicOrPartition,
      baseOffset: -1,
    });
    expect(await append(client, name, batchOf(["a"]), { partition: 7 })).toMatchObject({
      errorCode: errorCode.unknownTopicOrPartition,
    });
    expect(await append(client, name, batchOf(["a"]), { acks: 2 })).toMatchObject({
      errorCode: errorCode.invalidRequiredAcks,
    });
  });

  test.each([
    ["a wrong checksum", () => Buffer.from(batchOf(["a"])).fill(1, 17, 21), errorCode.corruptMessage],
    [
      "a count that is not that of its offsets",
      () => patched(batchOf(["a"]), (b) => b.writeInt32BE(5, 57)),
      errorCode.invalidRecord,
    ],
    ["a length beyond its bytes", () => withLengthOf(batchOf(["a"]), 1000), errorCode.invalidRecord],
    ["a length of less than a header", () => withLengthOf(batchOf(["a"]), 30), errorCode.corruptMessage],
    [
      "another batch behind it",
      () => Buffer.concat([batchOf(["a"]), batchOf(["b"])]),
      errorCode.invalidRecord,
    ],
    ["an older format", () => patched(batchOf(["a"]), (b) => b.writeInt8(1, 16)), errorCode.invalidRecord],
    ["no bytes", () => Buffer.alloc(0), errorCode.invalidRecord],
    [
      "a control bit",
      () => patched(batchOf(["a"]), (b) => b.writeInt16BE(0x20, 21)),
      errorCode.invalidRecord,
    ],
  ])("refuses a batch with %s", async (_what, batch, code) => {
    const { name } = await freshTopic(client);
    expect((await append(client, name, batch())).errorCode).toBe(code);
    expect((await fetchOne(client, name, 0)).highWatermark).toBe(0);
  });

  test("refuses a batch that is larger than the topic allows", async () => {
    const { name } = await freshTopic(client, { configs: { "max.message.bytes": "200" } });
    expect((await append(client, name, batchOf(["x".repeat(200)]))).errorCode).toBe(
      errorCode.messageTooLarge,
    );
    expect((await append(client, name, batchOf(["x".repeat(100)]))).errorCode).toBe(errorCode.none);
  });

  test("refuses a timestamp that is too far ahead", async () => {
    const { name } = await freshTopic(client);
    const late = batchOf(["a"], { baseTimestampMs: Date.now() + 2 * 3_600_000 });
    expect((await append(client, name, late)).errorCode).toBe(errorCode.invalidTimestamp);
    const patient = await freshTopic(client, { configs: { "message.timestamp.before.max.ms": "60000" } });
    const early = batchOf(["a"], { baseTimestampMs: Date.now() - 3_600_000 });
    expect((await append(client, patient.name, early)).errorCode).toBe(errorCode.invalidTimestamp);
  });

  test("refuses a record without a key on a compacted topic", async () => {
    const { name } = await freshTopic(client, { configs: { "cleanup.policy": "compact" } });
    expect((await append(client, name, batchOf(["a"]))).errorCode).toBe(errorCode.invalidRecord);
    const keyed = buildBatch({
      records: [{ key: Buffer.from("k"), value: null }],
      baseTimestampMs: Date.now(),
    });
    expect((await append(client, name, keyed)).errorCode).toBe(errorCode.none);
  });

  test("writes its own time with LogAppendTime, and a checksum that fits", async () => {
    const { name } = await freshTopic(client, { configs: { "message.timestamp.type": "LogAppendTime" } });
    const answer = await append(client, name, batchOf(["a", "b"], { baseTimestampMs: 1000 }));
    expect(answer.logAppendTimeMs).toBeGreaterThan(1_600_000_000_000);
    const { records } = await fetchOne(client, name, 0);
    const [batch] = batchesIn(records);
    if (batch === undefined) expect.unreachable("no batch came back");
    expect(readHeader(batch)).toMatchObject({ logAppendTime: true, maxTimestamp: answer.logAppendTimeMs });
    expect(batch.readUInt32BE(17)).toBe(crc32c(batch, 21));
    const times = [...readRecords(batch)].map((one) => one.timestampMs);
    expect(times).toEqual([answer.logAppendTimeMs, answer.logAppendTimeMs]);
  });

  test("answers nothing to acks=0, and closes the connection when it fails", async () => {
    const { name } = await freshTopic(client);
    const silent = (topic: string) => ({
      acks: 0,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: [batchOf(["a"])] }] }],
    });
    await using other = await connectToCluster();
    other.post(produce, 9, silent(name));
    const { highWatermark } = await eventually("the record", async () => {
      const found = await fetchOne(other, name, 0);
      return found.highWatermark === 1 ? found : null;
    });
    expect(highWatermark).toBe(1);
    other.post(produce, 9, silent(uniqueName("none")));
    await other.closed;
  });
});

describe("idempotent producers", () => {
  const fromProducer = async () => {
    const {
      producerId,
      producerEpoch,
      errorCode: code,
    } = await client.send(initProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    });
    expect(code).toBe(errorCode.none);
    const { name } = await freshTopic(client);
    return {
      name,
      send: (baseSequence: number, count = 1, epoch = producerEpoch) =>
        append(
          client,
          name,
          batchOf(
            Array.from({ length: count }, (_, index) => `${baseSequence + index}`),
            { producerId, producerEpoch: epoch, baseSequence, baseTimestampMs: 1_700_000_000_000 },
          ),
        ),
    };
  };

  test("each get an id of their own, at epoch 0", async () => {
    const request = { transactionalId: null, transactionTimeoutMs: 60_000 };
    const first = await client.send(initProducerId, 0, request);
    const second = await client.send(initProducerId, 4, request);
    expect(first.producerEpoch).toBe(0);
    expect(second.producerId).not.toBe(first.producerId);
  });

  test("may repeat any of the last five batches, and get the old offset", async () => {
    const { name, send } = await fromProducer();
    for (let sequence = 0; sequence < 12; sequence += 2) {
      expect(await send(sequence, 2)).toMatchObject({ errorCode: 0, baseOffset: sequence });
    }
    for (let sequence = 2; sequence < 12; sequence += 2) {
      expect(await send(sequence, 2)).toMatchObject({ errorCode: 0, baseOffset: sequence });
    }
    expect((await fetchOne(client, name, 0)).highWatermark).toBe(12);
  });

  test("may not leave a gap, nor repeat an older batch or half of one", async () => {
    const { name, send } = await fromProducer();
    for (let sequence = 0; sequence < 14; sequence += 2) await send(sequence, 2);
    expect((await send(15)).errorCode).toBe(errorCode.outOfOrderSequence);
    expect((await send(0, 2)).errorCode).toBe(errorCode.outOfOrderSequence);
    expect((await send(13)).errorCode).toBe(errorCode.outOfOrderSequence);
    expect((await fetchOne(client, name, 0)).highWatermark).toBe(14);
  });

  test("of an older epoch are fenced, and a new epoch starts at 0", async () => {
    const { send } = await fromProducer();
    expect((await send(0, 1, 3)).errorCode).toBe(errorCode.none);
    expect((await send(1, 1, 2)).errorCode).toBe(errorCode.invalidProducerEpoch);
    expect((await send(1, 1, 4)).errorCode).toBe(errorCode.outOfOrderSequence);
    expect((await send(0, 1, 4)).errorCode).toBe(errorCode.none);
  });

  test("that the partition does not know may begin anywhere, and sequences wrap", async () => {
    const { send } = await fromProducer();
    expect((await send(2 ** 31 - 2, 2)).errorCode).toBe(errorCode.none);
    expect((await send(0)).errorCode).toBe(errorCode.none);
    expect(await send(2 ** 31 - 2, 2)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect((await send(1)).errorCode).toBe(errorCode.none);
  });
});

describe("Fetch", () => {
  test("gives whole batches, also from the middle of one", async () => {
    const { name } = await freshTopic(client);
    await append(client, name, batchOf(["a", "b", "c"]));
    await append(client, name, batchOf(["d"]));
    const { records } = await fetchOne(client, name, 1);
    expect(valuesIn(records)).toEqual(["a", "b", "c", "d"]);
    expect(valuesIn((await fetchOne(client, name, 3)).records)).toEqual(["d"]);
    expect(valuesIn((await fetchOne(client, name, 4)).records)).toEqual([]);
  });

  test("gives one batch where the limits are smaller than that, and no more than they allow", async () => {
    const { name } = await freshTopic(client);
    for (const value of ["a", "b", "c"]) await append(client, name, batchOf([value.repeat(100)]));
    const count = async (options: object) =>
      batchesIn((await fetchOne(client, name, 0, options)).records).length;
    expect(await count({ maxBytes: 1 })).toBe(1);
    expect(await count({ partitionMaxBytes: 1 })).toBe(1);
    const size = batchOf(["a".repeat(100)]).length;
    expect(await count({ partitionMaxBytes: 2 * size })).toBe(2);
    expect(await count({ maxBytes: 3 * size })).toBe(3);
  });

  test("fills the partitions in the order they are asked for", async () => {
    const { name, id } = await freshTopic(client, { partitions: 3 });
    for (const partition of [0, 1, 2]) await append(client, name, batchOf(["v".repeat(500)]), { partition });
    const size = batchOf(["v".repeat(500)]).length;
    const { responses } = await client.send(fetch, 16, {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 2 * size,
      topics: [
        {
          topicId: id,
          partitions: [2, 0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: size })),
        },
      ],
    });
    const bytes = responses[0]?.partitions.map((one) => [one.partitionIndex, one.records?.length]);
    expect(bytes).toEqual([
      [2, size],
      [0, size],
      [1, 0],
    ]);
  });

  test("refuses offsets outside of the log and what does not exist", async () => {
    const { name } = await freshTopic(client);
    await append(client, name, batchOf(["a"]));
    expect((await fetchOne(client, name, 2)).errorCode).toBe(errorCode.offsetOutOfRange);
    expect((await fetchOne(client, name, -5)).errorCode).toBe(errorCode.offsetOutOfRange);
    expect((await fetchOne(client, name, 0, { partition: 3 })).errorCode).toBe(
      errorCode.unknownTopicOrPartition,
    );
    expect((await fetchOne(client, uniqueName("none"), 0)).errorCode).toBe(errorCode.unknownTopicOrPartition);
    const { responses } = await client.send(fetch, 16, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [
        {
          topicId: "AAAAAAAAAAAAAAAAAAAAZQ",
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
        },
      ],
    });
    expect(responses[0]?.partitions[0]?.errorCode).toBe(errorCode.unknownTopicId);
  });

  test("knows which leader epochs are past and which have not come yet", async () => {
    const { name } = await freshTopic(client);
    await append(client, name, batchOf(["a"]));
    expect((await fetchOne(client, name, 0, { currentLeaderEpoch: 0 })).errorCode).toBe(errorCode.none);
    expect((await fetchOne(client, name, 0, { currentLeaderEpoch: 9 })).errorCode).toBe(
      errorCode.unknownLeaderEpoch,
    );
  });

  test("waits for a record, and for its time", async () => {
    const { name } = await freshTopic(client);
    await using other = await connectToCluster();
    const startedMs = performance.now();
    const empty = await fetchOne(other, name, 0, { maxWaitMs: 150 });
    expect(valuesIn(empty.records)).toEqual([]);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(140);
    const waiting = fetchOne(other, name, 0, { maxWaitMs: 20_000 });
    await append(client, name, batchOf(["late"]));
    expect(valuesIn((await waiting).records)).toEqual(["late"]);
  });

  test("waits until there are as many bytes as were asked for", async () => {
    const { name } = await freshTopic(client);
    await using other = await connectToCluster();
    const size = batchOf(["a"]).length;
    const waiting = fetchOne(other, name, 0, { maxWaitMs: 20_000, minBytes: 2 * size });
    await append(client, name, batchOf(["a"]));
    await append(client, name, batchOf(["b"]));
    expect(valuesIn((await waiting).records)).toEqual(["a", "b"]);
  });

  test("that waits is told when its topic is deleted", async () => {
    const { name } = await freshTopic(client);
    await using other = await connectToCluster();
    // A connection that the broker has taken, and a round trip of another one: the wait has begun before the topic goes.
    await fetchOne(other, name, 0);
    const waiting = fetchOne(other, name, 0, { maxWaitMs: 20_000 });
    await fetchOne(client, name, 0);
    await client.send(deleteTopics, 5, { topicNames: [name], timeoutMs: 10_000 });
    // Apache Kafka may be asked again between giving up the partition's lead and forgetting it.
    const codes: number[] = [errorCode.unknownTopicOrPartition, errorCode.notLeaderOrFollower];
    expect(codes).toContain((await waiting).errorCode);
  });

  test.each([
    ["has read all that there is", { fetchOffset: 3, lastFetchedEpoch: 0 }],
    ["has read some of it", { fetchOffset: 2, lastFetchedEpoch: 0 }],
    ["has read more than there is", { fetchOffset: 5, lastFetchedEpoch: 0 }],
    ["has read in an epoch to come", { fetchOffset: 2, lastFetchedEpoch: 4 }],
    ["has read beyond the end in an epoch to come", { fetchOffset: 9, lastFetchedEpoch: 4 }],
    ["has not read what was deleted", { fetchOffset: 0, lastFetchedEpoch: 0 }],
  ])("tells a reader that %s where to go on (KIP-595)", async (_what, reader) => {
    const { name } = await freshTopic(client);
    await append(client, name, batchOf(["a", "b", "c"]));
    await client.send(deleteRecords, 2, {
      topics: [{ name, partitions: [{ partitionIndex: 0, offset: 1 }] }],
      timeoutMs: 10_000,
    });
    const partitions = [{ partition: 0, partitionMaxBytes: 1 << 20, currentLeaderEpoch: 0, ...reader }];
    const { responses } = await client.send(fetch, 12, {
      maxWaitMs: 20_000 * Number(reader.fetchOffset === 5),
      minBytes: 1,
      topics: [{ topic: name, partitions }],
    });
    const answer = responses[0]?.partitions[0];
    if (reader.fetchOffset === 5) expect(answer?.divergingEpoch).toEqual({ epoch: 0, endOffset: 3 });
    else expect(answer?.divergingEpoch ?? { epoch: -1 }).toMatchObject({ epoch: -1 });
    if (reader.fetchOffset === 2 && reader.lastFetchedEpoch === 0) expect(answer?.errorCode).toBe(0);
  });

  test("holds up what follows on its connection until it is answered", async () => {
    const { name } = await freshTopic(client);
    await using other = await connectToCluster();
    const fetching = fetchOne(other, name, 0, { maxWaitMs: 20_000 });
    let answered = false;
    const following = other.send(listOffsets, 5, { replicaId: -1, topics: [] }).then(() => {
      answered = true;
    });
    // Long enough for the broker to have read both.
    expect(valuesIn((await fetchOne(client, name, 0, { maxWaitMs: 200 })).records)).toEqual([]);
    expect(answered).toBe(false);
    await append(client, name, batchOf(["a"]));
    expect(valuesIn((await fetching).records)).toEqual(["a"]);
    await following;
  });

  test("with a session that does not exist is refused", async () => {
    const ask = (sessionId: number, sessionEpoch: number) =>
      client.send(fetch, 12, { maxWaitMs: 0, minBytes: 1, sessionId, sessionEpoch, topics: [] });
    expect((await ask(4711, 5)).errorCode).toBe(errorCode.fetchSessionIdNotFound);
    expect((await ask(0, -1)).errorCode).toBe(errorCode.none);
  });
});

describe("ListOffsets", () => {
  const ask = async (name: string, timestamp: number, version = 8) => {
    const { topics } = await client.send(listOffsets, version, {
      replicaId: -1,
      topics: [{ name, partitions: [{ partitionIndex: 0, timestamp }] }],
    });
    const answer = topics[0]?.partitions[0];
    return [answer?.errorCode, answer?.offset, answer?.timestamp];
  };

  test("finds the ends, times and the newest time of a partition", async () => {
    const { name } = await freshTopic(client);
    const t = 1_700_000_000_000;
    await append(client, name, batchOf(["a", "b"], { baseTimestampMs: t }));
    const records = [t + 50, t + 30, t + 90, t + 40].map((timestampMs) => ({ timestampMs }));
    await append(client, name, buildBatch({ records, baseTimestampMs: t + 50 }));
    await append(client, name, batchOf(["z"], { baseTimestampMs: t + 60 }));
    expect(await ask(name, -1)).toEqual([0, 7, -1]);
    expect(await ask(name, -2)).toEqual([0, 0, -1]);
    expect(await ask(name, -3)).toEqual([0, 4, t + 90]);
    expect(await ask(name, 0)).toEqual([0, 0, t]);
    expect(await ask(name, t)).toEqual([0, 0, t]);
    expect(await ask(name, t + 1)).toEqual([0, 2, t + 50]);
    expect(await ask(name, t + 51)).toEqual([0, 4, t + 90]);
    expect(await ask(name, t + 90)).toEqual([0, 4, t + 90]);
    expect(await ask(name, t + 91)).toEqual([0, -1, -1]);
    expect(await ask(name, t + 51, 1)).toEqual([0, 4, t + 90]);
  });

  test("says so where nothing is", async () => {
    const { name } = await freshTopic(client);
    expect(await ask(name, -1)).toEqual([0, 0, -1]);
    expect(await ask(name, -3)).toEqual([0, -1, -1]);
    expect(await ask(name, 1000)).toEqual([0, -1, -1]);
    expect(await ask(uniqueName("none"), -1)).toEqual([errorCode.unknownTopicOrPartition, -1, -1]);
  });
});

describe("DeleteRecords", () => {
  test("moves the start of the log, which fetches and look-ups see", async () => {
    const { name } = await freshTopic(client);
    await append(client, name, batchOf(["a", "b", "c"]));
    await append(client, name, batchOf(["d"]));
    const remove = async (offset: number, topic = name) => {
      const { topics } = await client.send(deleteRecords, 2, {
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }],
        timeoutMs: 10_000,
      });
      const answer = topics[0]?.partitions[0];
      return [answer?.errorCode, answer?.lowWatermark];
    };
    expect(await remove(2)).toEqual([0, 2]);
    expect(await remove(1)).toEqual([0, 2]);
    expect(await remove(9)).toEqual([errorCode.offsetOutOfRange, -1]);
    expect(await remove(0, uniqueName("none"))).toEqual([errorCode.unknownTopicOrPartition, -1]);
    expect((await fetchOne(client, name, 1)).errorCode).toBe(errorCode.offsetOutOfRange);
    const rest = await fetchOne(client, name, 2);
    expect(rest.logStartOffset).toBe(2);
    // The batch is whole; which of its records are gone, the client finds by their offsets.
    expect(valuesIn(rest.records)).toEqual(["a", "b", "c", "d"]);
    expect(await remove(-1)).toEqual([0, 4]);
    expect((await fetchOne(client, name, 4)).logStartOffset).toBe(4);
  });
});

describe("OffsetForLeaderEpoch", () => {
  test("finds where an epoch ends", async () => {
    const { name } = await freshTopic(client);
    await append(client, name, batchOf(["a", "b"]));
    const ask = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
      const { topics } = await client.send(offsetForLeaderEpoch, 4, {
        topics: [{ topic: name, partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }],
      });
      const answer = topics[0]?.partitions[0];
      return [answer?.errorCode, answer?.leaderEpoch, answer?.endOffset];
    };
    expect(await ask(0)).toEqual([0, 0, 2]);
    expect(await ask(5)).toEqual([0, -1, -1]);
    expect(await ask(0, 7)).toEqual([errorCode.unknownLeaderEpoch, -1, -1]);
  });
});

test("a connection that asks for what is not served is closed", async () => {
  await using other = await connectToCluster();
  const answer = other.next();
  other.write(Buffer.from("0000000a270f00000000000100000000", "hex"));
  await expect(answer).rejects.toThrow(ConnectionClosedError);
});
