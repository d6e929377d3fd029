/** A running broker: listening, bad clients, slow clients, time, and the end. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Broker,
  type BrokerOptions,
  InvalidConfigError,
  type Log,
  PortInUseError,
  startBroker,
  VirtualClock,
} from "./index.ts";
import { responseCodec } from "./protocol/codec.ts";
import { errorCode } from "./protocol/error-codes.ts";
import { apiVersions } from "./protocol/messages/api-versions.ts";
import { createTopics } from "./protocol/messages/create-topics.ts";
import { deleteTopics } from "./protocol/messages/delete-topics.ts";
import { fetch } from "./protocol/messages/fetch.ts";
import { joinGroup } from "./protocol/messages/join-group.ts";
import { listOffsets } from "./protocol/messages/list-offsets.ts";
import { metadata } from "./protocol/messages/metadata.ts";
import { offsetCommit } from "./protocol/messages/offset-commit.ts";
import { produce } from "./protocol/messages/produce.ts";
import { Reader } from "./protocol/reader.ts";
import { LOOPBACKS } from "./server/listeners.ts";
import { append, batchOf, eventually, fetchOne } from "./testing/cluster-under-test.ts";
import { ConnectionClosedError, frame, RawClient, withLength } from "./testing/raw-client.ts";

interface Started extends AsyncDisposable {
  readonly broker: Broker;
  readonly client: RawClient;
  readonly logged: string[];
  connect(): Promise<RawClient>;
}

/** A broker with a client, both gone at the end of the test. */
async function started(options: BrokerOptions = {}): Promise<Started> {
  const logged: string[] = [];
  const say = (level: string) => (fields: object, message: string) => {
    logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
  const broker = await startBroker({ log, ...options });
  const open: RawClient[] = [];
  const connectRaw = async () => {
    const client = await RawClient.to(broker.brokers[0] ?? "");
    open.push(client);
    return client;
  };
  return {
    broker,
    logged,
    client: await connectRaw(),
    connect: connectRaw,
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map((client) => client[Symbol.asyncDispose]()));
      await broker.stop();
    },
  };
}

async function makeTopic(
  client: RawClient,
  name: string,
  configs: Record<string, string> = {},
): Promise<void> {
  const { topics } = await client.send(createTopics, 5, {
    topics: [
      {
        name,
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
  });
  expect(topics[0]?.errorCode).toBe(0);
}

describe("listening", () => {
  test("on both loopbacks at one port, and telling 127.0.0.1 to every client", async () => {
    await using on = await started();
    for (const host of LOOPBACKS) {
      const socket = connect({ host, port: on.broker.port });
      await once(socket, "connect");
      socket.destroy();
    }
    const { brokers } = await on.client.send(metadata, 5, { topics: [] });
    expect(brokers).toEqual([{ nodeId: 1, host: "127.0.0.1", port: on.broker.port, rack: null }]);
    expect(on.broker.brokers).toEqual([`127.0.0.1:${on.broker.port}`]);
  });

  test("on every address, it tells a client the one that it came in by; or what it is told to tell", async () => {
    await using everywhere = await started({ host: "0.0.0.0" });
    const answer = await everywhere.client.send(metadata, 5, { topics: [] });
    expect(answer.brokers[0]?.host).toBe("127.0.0.1");
    const named = await startBroker({ advertisedHost: "kafka.example", brokerId: 7 });
    expect(named.brokers).toEqual([`kafka.example:${named.port}`]);
    await using client = await RawClient.to(`127.0.0.1:${named.port}`);
    const { brokers } = await client.send(metadata, 5, { topics: [] });
    expect(brokers).toMatchObject([{ nodeId: 7, host: "kafka.example" }]);
    await named.stop();
  });

  test.each(LOOPBACKS)("a port that is taken on %s is named", async (host) => {
    const other = createServer().listen({ host, port: 0 });
    await once(other, "listening");
    const address = other.address();
    if (address === null || typeof address === "string") expect.unreachable("no port");
    await expect(startBroker({ port: address.port })).rejects.toThrow(PortInUseError);
    await expect(startBroker({ port: address.port })).rejects.toThrow(String(address.port));
    other.close();
  });

  test("wrong settings are named, all of them", async () => {
    const configs = { "log.retention.ms": "soon", "no.such": "1" };
    await expect(startBroker({ configs })).rejects.toThrow(InvalidConfigError);
    await expect(startBroker({ configs })).rejects.toThrow(/log\.retention\.ms.*no\.such/);
  });
});

describe("stopping", () => {
  test("frees the port, ends connections and waiting requests, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const on = await started({ clock });
    const { broker, client } = on;
    await makeTopic(client, "t");
    const waiting = fetchOne(client, "t", 0, { maxWaitMs: 60_000 });
    const other = await on.connect();
    const joining = other.send(joinGroup, 3, {
      groupId: "g",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: "",
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
    });
    await joining;
    await broker.stop();
    await expect(waiting).rejects.toThrow(ConnectionClosedError);
    await other.closed;
    expect(clock.timers).toBe(0);
    const again = await startBroker({ port: broker.port });
    expect(again.port).toBe(broker.port);
    await again.stop();
    await again.stop();
  });

  test("a parked fetch of a client that went away is forgotten", async () => {
    const clock = new VirtualClock();
    await using on = await started({ clock });
    await makeTopic(on.client, "t");
    const other = await on.connect();
    fetchOne(other, "t", 0, { maxWaitMs: 60_000 }).catch(() => {});
    const waiting = () => on.broker.topics()[0]?.partitions[0]?.waitingFetches;
    await eventually("the fetch", async () => (waiting() === 1 ? true : null));
    const timers = clock.timers;
    await other[Symbol.asyncDispose]();
    await eventually("the end of it", async () => (waiting() === 0 ? true : null));
    expect(clock.timers).toBe(timers - 1);
  });
});

describe("requests", () => {
  test("ApiVersions of an unknown version is answered in version 0, with error 35 and its own versions", async () => {
    await using on = await started();
    const answer = on.client.next();
    on.client.write(withLength(Buffer.from("00120063000000070003726177", "hex")));
    const reader = new Reader(await answer);
    expect(reader.int32()).toBe(7);
    const response = responseCodec(apiVersions, 0).decode(reader);
    expect(response.errorCode).toBe(errorCode.unsupportedVersion);
    expect(response.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
    // The connection stays open.
    expect((await on.client.send(apiVersions, 2, {})).errorCode).toBe(0);
  });

  test("ApiVersions lists Produce from 0 on, and wants a decent name of the client's software", async () => {
    await using on = await started();
    const named = await on.client.send(apiVersions, 4, {
      clientSoftwareName: "apache-kafka-java",
      clientSoftwareVersion: "4.1.1",
    });
    expect(named.apiKeys).toContainEqual({ apiKey: 0, minVersion: 0, maxVersion: 11 });
    const unnamed = await on.client.send(apiVersions, 3, {
      clientSoftwareName: "",
      clientSoftwareVersion: "-",
    });
    expect(unnamed.errorCode).toBe(errorCode.invalidRequest);
  });

  test("that were sent together are answered in order", async () => {
    await using on = await started();
    const answers = Array.from({ length: 200 }, () => on.client.next());
    const frames = answers.map((_, index) => frame(listOffsets, 5, { replicaId: -1, topics: [] }, index));
    on.client.write(Buffer.concat(frames));
    const ids = (await Promise.all(answers)).map((answer) => answer.readInt32BE(0));
    expect(ids).toEqual(answers.map((_, index) => index));
  });

  test("a parked fetch gets error 3 when its topic is deleted, and the name starts over", async () => {
    await using on = await started();
    await makeTopic(on.client, "t");
    await append(on.client, "t", batchOf(["old"]));
    const other = await on.connect();
    const byName = fetchOne(other, "t", 1, { maxWaitMs: 60_000 });
    const waiting = () => on.broker.topics()[0]?.partitions[0]?.waitingFetches;
    await eventually("the fetch", async () => (waiting() === 1 ? true : null));
    const before = on.broker.topics()[0]?.id ?? "";
    // Both before the fetch can look again.
    on.client.post(deleteTopics, 5, { topicNames: ["t"], timeoutMs: 1000 });
    await on.client.next();
    await makeTopic(on.client, "t");
    expect((await byName).errorCode).toBe(errorCode.unknownTopicOrPartition);
    expect(await append(on.client, "t", batchOf(["new"]))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(on.broker.topics()[0]?.id).not.toBe(before);
    const { responses } = await other.send(fetch, 13, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topicId: before, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] }],
    });
    expect(responses[0]?.partitions[0]?.errorCode).toBe(errorCode.unknownTopicId);
  });

  test("records that can't be read are refused, and the connection stays open", async () => {
    await using on = await started();
    await makeTopic(on.client, "t", { "cleanup.policy": "compact" });
    const garbage = batchOf(["a"], { attributes: 1, compress: () => Buffer.from("this is not gzip") });
    expect((await append(on.client, "t", garbage)).errorCode).toBe(errorCode.corruptMessage);
    expect((await append(on.client, "t", batchOf(["a"]))).errorCode).toBe(errorCode.invalidRecord);
  });
});

describe("bad bytes end their own connection and no other", () => {
  test.each([
    ["a negative length", "ffffffff"],
    ["a length beyond the limit", "7fffffff"],
    ["an unknown API", "0000000a270f00000000000100000000"],
    ["an unsupported version", "0000000a000000020000000100000000"],
    ["a request without an end", "0000000a000300050000000100000000"],
    ["a client id of negative length", "0000000a00030005000000018000ffff"],
    ["an array of two thousand million", `0000001000030005${"00000001"}0000${"7fffffff"}0001`],
    ["bytes after the end", `0000000f00020005${"00000001"}0000${"ffffffff"}00${"00000000"}00`],
  ])("%s", async (_what, hex) => {
    await using on = await started();
    const bad = await on.connect();
    bad.write(Buffer.from(hex, "hex"));
    await bad.closed;
    expect(on.logged.filter((line) => line.startsWith("warn connection closed"))).toHaveLength(1);
    expect((await on.client.send(apiVersions, 0, {})).errorCode).toBe(0);
  });

  test("what came before them is answered", async () => {
    await using on = await started();
    const mixed = await on.connect();
    const answer = mixed.next();
    mixed.write(
      Buffer.concat([frame(listOffsets, 5, { replicaId: -1, topics: [] }, 5), Buffer.alloc(4, 0xff)]),
    );
    expect((await answer).readInt32BE(0)).toBe(5);
    await mixed.closed;
  });

  test("any change of a good request is answered or ends the connection", async () => {
    await using on = await started();
    await makeTopic(on.client, "t");
    const requests = [
      frame(metadata, 9, { topics: [{ name: "t" }] }),
      frame(fetch, 12, {
        maxWaitMs: 0,
        minBytes: 1,
        topics: [{ topic: "t", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] }],
      }),
      frame(produce, 9, {
        acks: 1,
        timeoutMs: 100,
        topicData: [{ name: "t", partitionData: [{ index: 0, records: [batchOf(["a", "b"])] }] }],
      }),
      frame(offsetCommit, 8, {
        groupId: "g",
        memberId: "",
        topics: [
          { name: "t", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }] },
        ],
      }),
    ];
    const change = fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...requests),
        fc.array(change, { maxLength: 3 }),
        async (good, changes) => {
          const bytes = Buffer.from(good);
          for (const [at, byte] of changes) if (at + 12 < bytes.length) bytes[at + 12] = byte;
          const bad = await RawClient.to(on.broker.brokers[0] ?? "");
          const answer = bad.next().then(
            () => "answered",
            () => "closed",
          );
          bad.write(bytes);
          expect(await Promise.race([answer, silence(on.client)])).toMatch(/answered|closed|silent/);
          await bad[Symbol.asyncDispose]();
        },
      ),
      { numRuns: 200, seed: 4711 },
    );
    expect((await on.client.send(apiVersions, 0, {})).errorCode).toBe(0);
    expect(on.logged.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  /** The broker is alive and has had time: it answered another client many times. Only acks=0 and a long wait do so. */
  async function silence(client: RawClient): Promise<string> {
    for (let i = 0; i < 20; i++) await client.send(apiVersions, 0, {});
    return "silent";
  }
});

describe("slow and silent clients", () => {
  test("one that does not read its answers is not read from, until it does", async () => {
    const ASKED = 600;
    const ANSWER_BYTES = 300_000;
    await using on = await started();
    await makeTopic(on.client, "t");
    await append(on.client, "t", batchOf(["x".repeat(ANSWER_BYTES)]));
    const socket = connect({ host: "127.0.0.1", port: on.broker.port });
    await once(socket, "connect");
    socket.pause();
    const wanted = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 };
    const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: "t", partitions: [wanted] }] };
    // A long name makes long requests: 19 MB of them, more than lies between two sockets.
    const ask = frame(fetch, 12, request, 1, "slow".repeat(8000));
    socket.write(Buffer.concat(Array.from({ length: ASKED }, () => ask)));
    const served = () =>
      on.broker.connections().find(({ clientId }) => clientId.startsWith("slow"))?.requests ?? 0;
    await eventually("some answers", async () => (served() * ANSWER_BYTES >= 64 << 20 ? true : null));
    for (let i = 0; i < 50; i++) await on.client.send(apiVersions, 0, {});
    expect(served()).toBeLessThan(ASKED);
    expect(socket.writableLength).toBeGreaterThan(0);
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await eventually("all answers", async () => (received > ASKED * ANSWER_BYTES ? true : null));
    socket.destroy();
  });

  test("one that is silent for connections.max.idle.ms is closed, one that waits for an answer is not", async () => {
    const clock = new VirtualClock();
    await using on = await started({ clock, configs: { "connections.max.idle.ms": "60000" } });
    await makeTopic(on.client, "t");
    const silent = await on.connect();
    await silent.send(apiVersions, 0, {});
    const waiting = fetchOne(on.client, "t", 0, { maxWaitMs: 200_000 });
    await eventually("the fetch", async () =>
      on.broker.topics()[0]?.partitions[0]?.waitingFetches === 1 ? true : null,
    );
    clock.advance(100_000);
    await silent.closed;
    clock.advance(100_000);
    expect((await waiting).errorCode).toBe(0);
  });
});

describe("time", () => {
  test("records go after retention.ms, and offsets and empty groups after offsets.retention.minutes", async () => {
    const clock = new VirtualClock();
    await using on = await started({ clock, configs: { "offsets.retention.minutes": "60" } });
    await makeTopic(on.client, "t", { "retention.ms": "600000" });
    await append(on.client, "t", batchOf(["a"], { baseTimestampMs: clock.now() }));
    const commit = {
      groupId: "g",
      memberId: "",
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }] }],
    };
    expect((await on.client.send(offsetCommit, 7, commit)).topics[0]?.partitions[0]?.errorCode).toBe(0);
    clock.advance(9 * 60_000);
    expect(on.broker.records("t")).toHaveLength(1);
    clock.advance(10 * 60_000);
    expect(on.broker.records("t")).toHaveLength(0);
    expect(on.broker.topics()[0]?.partitions[0]).toMatchObject({ logStartOffset: 1, highWatermark: 1 });
    expect(on.broker.groups()).toHaveLength(1);
    clock.advance(60 * 60_000);
    expect(on.broker.groups()).toHaveLength(0);
  });
});

test("an idempotent producer is forgotten after producer.id.expiration.ms", async () => {
  const clock = new VirtualClock();
  await using on = await started({ clock, configs: { "producer.id.expiration.ms": "60000" } });
  await makeTopic(on.client, "t");
  const send = async (baseSequence: number) => {
    const baseTimestampMs = clock.now();
    const batch = batchOf(["a"], { producerId: 5, producerEpoch: 0, baseSequence, baseTimestampMs });
    return (await append(on.client, "t", batch)).errorCode;
  };
  expect(await send(0)).toBe(errorCode.none);
  expect(await send(7)).toBe(errorCode.outOfOrderSequence);
  clock.advance(10 * 60_000);
  expect(await send(7)).toBe(errorCode.none);
});

test("inspection shows topics, records, groups and connections", async () => {
  await using on = await started();
  await makeTopic(on.client, "t", { "retention.ms": "5000" });
  await append(on.client, "t", batchOf(["a", "b"]));
  expect(on.broker.topics()).toMatchObject([
    {
      name: "t",
      configs: { "retention.ms": "5000" },
      partitions: [{ partition: 0, highWatermark: 2, batches: 1 }],
    },
  ]);
  expect(on.broker.records("t", 0).map(({ offset, value }) => [offset, String(value)])).toEqual([
    [0, "a"],
    [1, "b"],
  ]);
  expect(on.broker.records("t", 3)).toEqual([]);
  expect(on.broker.records("none")).toEqual([]);
  expect(on.broker.connections()).toMatchObject([{ clientId: "raw", clientHost: "/127.0.0.1", requests: 2 }]);
});
