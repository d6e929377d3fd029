/** Every kind of fault, by bare requests: what reaches the broker, what reaches the client, and when. */
import { describe, expect, test } from "vitest";
import { errorCode, type FaultRule, FaultRuleError, VirtualClock } from "../index.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { append, batchOf, create, eventually, fetchOne } from "../testing/cluster-under-test.ts";
import { ConnectionClosedError, frame, type RawClient } from "../testing/raw-client.ts";
import { type Started, started } from "../testing/started.ts";

/** A broker with topics "t" and "u", and faults on what comes after. */
async function faulty(...rules: FaultRule[]): Promise<Started & { clock: VirtualClock }> {
  const clock = new VirtualClock();
  const on = await started({ clock, faults: { seed: 7 } });
  await create(on.client, { name: "t" });
  await create(on.client, { name: "u" });
  for (const rule of rules) on.broker.faults.add(rule);
  return { ...on, clock };
}

const values = ({ broker }: Started, topic = "t") => broker.records(topic).map(({ value }) => String(value));
const produced = (client: RawClient, value: string, topic = "t") =>
  append(client, topic, batchOf([value], { baseTimestampMs: Date.UTC(2026, 0, 1) }));
const produce = { api: "Produce" } as const;

/** What the client gets, as a frame without its length; its end where that comes first. */
async function answerOf(client: RawClient, request: Buffer): Promise<Buffer> {
  const answer = client.next();
  client.write(request);
  return answer;
}
const ask = frame(apiVersions, 0, {}, 77);

describe("an accident of the connection", () => {
  test("dropped before: nothing was applied; the next connection works", async () => {
    await using on = await faulty({ on: produce, do: { kind: "drop", when: "before" } });
    await expect(produced(on.client, "a")).rejects.toThrow(ConnectionClosedError);
    expect(values(on)).toEqual([]);
    expect((await produced(await on.connect(), "b")).errorCode).toBe(errorCode.none);
    expect(values(on)).toEqual(["b"]);
  });

  test("dropped after: all was applied", async () => {
    await using on = await faulty({ on: produce, do: { kind: "drop", when: "after" } });
    await expect(produced(on.client, "a")).rejects.toThrow(ConnectionClosedError);
    expect(values(on)).toEqual(["a"]);
  });

  test("an answer that is cut ends with its connection", async () => {
    await using on = await faulty({ on: { api: "ApiVersions" }, do: { kind: "cut", at: 9 } });
    const received: Buffer[] = [];
    on.client.onBytes((bytes) => received.push(bytes));
    await expect(answerOf(on.client, ask)).rejects.toThrow(ConnectionClosedError);
    const bytes = Buffer.concat(received);
    expect(bytes).toHaveLength(9);
    expect(bytes.readInt32BE(4)).toBe(77);
  });

  test("a corrupt answer differs in the one byte", async () => {
    await using on = await faulty({ on: { api: "ApiVersions" }, do: { kind: "corrupt", at: 7 } });
    const bad = await answerOf(on.client, ask);
    const good = await answerOf(on.client, ask);
    expect(bad.readInt32BE(0)).toBe(77 ^ 0xff);
    expect(bad.subarray(4)).toEqual(good.subarray(4));
  });

  test("an answer in single bytes is the same answer", async () => {
    await using on = await faulty({ on: { api: "ApiVersions" }, do: { kind: "split" } });
    const received: Buffer[] = [];
    on.client.onBytes((bytes) => received.push(bytes));
    const both = on.client.next();
    const second = on.client.next();
    on.client.write(Buffer.concat([ask, ask]));
    expect(await both).toEqual(await second);
    // TCP may put some of them together.
    expect(received.length).toBeGreaterThan(Buffer.concat(received).length / 4);
  });
});

describe("an error", () => {
  test("is answered n times without applying anything, then no more", async () => {
    const rule: FaultRule = {
      on: produce,
      times: 2,
      do: { kind: "error", code: errorCode.notLeaderOrFollower },
    };
    await using on = await faulty(rule);
    const codes: number[] = [];
    for (const value of ["a", "b", "c"]) codes.push((await produced(on.client, value)).errorCode);
    expect(codes).toEqual([6, 6, 0]);
    expect(values(on)).toEqual(["c"]);
  });

  test("after: what was asked for is done all the same", async () => {
    await using on = await faulty({ on: produce, do: { kind: "error", code: 7, when: "after" } });
    expect((await produced(on.client, "a")).errorCode).toBe(7);
    expect(values(on)).toEqual(["a"]);
  });
});

describe("what waits", () => {
  test.each(["before", "after"] as const)("a delay %s it, by the broker's clock", async (when) => {
    await using on = await faulty({ on: produce, do: { kind: "delay", when, ms: 60_000 } });
    const answer = produced(on.client, "a");
    await eventually("the fault", async () => (on.broker.faults.log().length === 1 ? true : null));
    expect(values(on)).toEqual(when === "before" ? [] : ["a"]);
    on.clock.advance(59_999);
    expect(await Promise.race([answer, aRoundTrip(on)])).toBe("nothing");
    on.clock.advance(1);
    expect((await answer).errorCode).toBe(errorCode.none);
    expect(values(on)).toEqual(["a"]);
  });

  test("a stalled connection is not read, others are; it continues when the time is up", async () => {
    await using on = await faulty({
      on: { api: "ApiVersions", clientId: "raw" },
      do: { kind: "stall", ms: 5000 },
    });
    await on.client.send(apiVersions, 0, {});
    const answer = on.client.send(metadata, 5, { topics: [] });
    expect(await Promise.race([answer, aRoundTrip(on)])).toBe("nothing");
    on.clock.advance(5000);
    expect((await answer).brokers).toHaveLength(1);
  });

  test("a rule that is removed lets go whoever it held up", async () => {
    await using on = await faulty();
    const rule = on.broker.faults.add({ on: produce, do: { kind: "delay", when: "after", ms: 60_000 } });
    const answer = produced(on.client, "a");
    await eventually("the fault", async () => (rule.fired === 1 ? true : null));
    rule.remove();
    expect((await answer).errorCode).toBe(errorCode.none);
  });

  test("new connections wait at the door of one broker, until the time is up or all rules go", async () => {
    const clock = new VirtualClock();
    await using on = await started({ clock, brokers: 2 });
    on.broker.faults.add({ on: { broker: 1 }, do: { kind: "pause-acceptance", ms: 5000 } });
    const answerOfBroker = async (id: number) => (await on.connect(id, "late")).send(apiVersions, 0, {});
    const waiting = answerOfBroker(1);
    expect((await answerOfBroker(2)).errorCode).toBe(errorCode.none);
    expect((await on.client.send(apiVersions, 0, {})).errorCode).toBe(errorCode.none);
    expect(await Promise.race([waiting, aRoundTrip(on)])).toBe("nothing");
    clock.advance(5000);
    expect((await waiting).errorCode).toBe(errorCode.none);
    on.broker.faults.add({ on: { broker: 1 }, do: { kind: "pause-acceptance" } });
    const again = answerOfBroker(1);
    expect(await Promise.race([again, aRoundTrip(on)])).toBe("nothing");
    on.broker.faults.clear();
    expect((await again).errorCode).toBe(errorCode.none);
  });

  test("nothing of it is left when the broker stops", async () => {
    const on = await faulty(
      { on: produce, do: { kind: "delay", when: "before", ms: 60_000 } },
      { on: produce, do: { kind: "stall", ms: 60_000 } },
      { do: { kind: "pause-acceptance", ms: 60_000 } },
    );
    const answer = produced(on.client, "a");
    const late = await on.connect();
    await eventually("the faults", async () => (on.broker.faults.log().length === 2 ? true : null));
    await on.broker.stop();
    await expect(answer).rejects.toThrow(ConnectionClosedError);
    await late.closed;
    expect(on.clock.timers).toBe(0);
    expect(values(on)).toEqual([]);
  });

  /** The broker has had time to answer: it answered another client. */
  async function aRoundTrip(on: Started): Promise<"nothing"> {
    const other = on.broker.nodes().length > 1 ? await on.connect(2, "other") : null;
    for (let i = 0; i < 5; i++) await (other ?? (await otherOf(on))).send(metadata, 5, { topics: [] });
    return "nothing";
  }
  const others = new WeakMap<Started, RawClient>();
  async function otherOf(on: Started): Promise<RawClient> {
    const client = others.get(on) ?? (await on.connect(undefined, "other"));
    others.set(on, client);
    return client;
  }
});

describe("which requests", () => {
  test("by API, client, broker, topic and number of the call", async () => {
    const clock = new VirtualClock();
    await using on = await started({ clock, brokers: 2 });
    await create(on.client, { name: "t", numPartitions: 2 });
    await create(on.client, { name: "u", numPartitions: 2 });
    const a = await on.connect(1, "a");
    const b = await on.connect(2, "b");
    const send = (client: RawClient, topic: string, partition: number) =>
      append(client, topic, batchOf(["v"], { baseTimestampMs: clock.now() }), { partition });
    const error = { kind: "error", code: 19 } as const;
    on.broker.faults.add({ on: { api: "Produce", clientId: "a", topic: "u" }, call: 2, do: error });
    on.broker.faults.add({ on: { api: "Produce", broker: 2 }, times: "always", do: error });
    const codes: number[] = [];
    for (const topic of ["u", "t", "u", "u"]) codes.push((await send(a, topic, 0)).errorCode);
    expect(codes).toEqual([0, 0, 19, 0]);
    for (let i = 0; i < 3; i++) expect((await send(b, "u", 1)).errorCode).toBe(19);
    expect((await fetchOne(b, "u", 0, { partition: 1 })).errorCode).toBe(0);
    expect(on.broker.faults.log()).toMatchObject([
      {
        rule: 1,
        call: 2,
        brokerId: 1,
        api: "Produce",
        apiVersion: 11,
        clientId: "a",
        topics: ["u"],
        fault: error,
      },
      { rule: 2, call: 1, brokerId: 2, clientId: "b" },
      { rule: 2, call: 2 },
      { rule: 2, call: 3 },
    ]);
  });

  test("a topic is found by its id too", async () => {
    await using on = await faulty({ on: { topic: "t", api: "Fetch" }, do: { kind: "error", code: 56 } });
    const ids = new Map(on.broker.topics().map(({ name, id }) => [name, id]));
    const codeOf = async (name: string) => {
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }];
      const topics = [{ topicId: ids.get(name) ?? "", partitions }];
      const { responses } = await on.client.send(fetch, 17, { maxWaitMs: 0, minBytes: 0, topics });
      return responses[0]?.partitions[0]?.errorCode;
    };
    expect(await codeOf("u")).toBe(0);
    expect(await codeOf("t")).toBe(56);
  });

  test("a topic is found in a fetch session too, whose requests do not name it", async () => {
    await using on = await faulty();
    const next = (sessionId: number, sessionEpoch: number, topics: { topic: string }[] = []) =>
      on.client.send(fetch, 12, {
        maxWaitMs: 0,
        minBytes: 0,
        sessionId,
        sessionEpoch,
        topics: topics.map((topic) => ({
          ...topic,
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }],
        })),
      });
    const [t, u] = [await next(0, 0, [{ topic: "t" }]), await next(0, 0, [{ topic: "u" }])];
    on.broker.faults.add({ on: { topic: "t", api: "Fetch" }, do: { kind: "error", code: 56 } });
    expect((await next(u.sessionId, 1)).errorCode).toBe(0);
    expect((await next(t.sessionId, 1)).errorCode).toBe(56);
    expect(on.broker.faults.log()[0]?.topics).toEqual(["t"]);
    // Nothing was applied: the session is where it was.
    expect((await next(t.sessionId, 1)).errorCode).toBe(0);
  });

  test("several rules happen to one request, the first added outermost", async () => {
    await using on = await faulty(
      { on: produce, do: { kind: "delay", when: "after", ms: 1000 } },
      { on: produce, do: { kind: "error", code: 19 } },
    );
    const answer = produced(on.client, "a");
    await eventually("both", async () => (on.broker.faults.log().length === 2 ? true : null));
    await eventually("the delay", async () => (on.clock.timers > 0 ? true : null));
    on.clock.advance(1000);
    expect((await answer).errorCode).toBe(19);
  });
});

describe("chance", () => {
  const rule: FaultRule = { on: produce, times: "always", probability: 0.5, do: { kind: "error", code: 19 } };

  async function codes(seed: number | undefined, rules: readonly FaultRule[], count = 60) {
    const clock = new VirtualClock();
    await using on = await started({ clock, faults: { ...(seed === undefined ? {} : { seed }), rules } });
    await create(on.client, { name: "t" });
    const seen: number[] = [];
    for (let i = 0; i < count; i++) seen.push((await produced(on.client, "v")).errorCode);
    return { seen, script: on.broker.faults.script(), report: on.broker.faults.report(), logged: on.logged };
  }

  test("a script brings the same faults again, another seed brings others", async () => {
    const first = await codes(undefined, [rule]);
    const printed = JSON.stringify(first.script);
    const { seed, rules } = JSON.parse(printed);
    const second = await codes(seed, rules);
    expect(second.seen).toEqual(first.seen);
    expect(first.report).toContain(printed);
    expect(first.logged.filter((line) => line.includes(`"seed":${seed}`)).length).toBeGreaterThan(1);
    const others = await codes(seed + 1, rules);
    expect(others.seen).not.toEqual(first.seen);
    const share = first.seen.filter((code) => code === 19).length / first.seen.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.8);
  });

  test("bytes and pauses that are not given are the seed's, and the log says which", async () => {
    const chosen = async () => {
      await using on = await faulty(
        { on: { api: "Metadata" }, times: "always", do: { kind: "corrupt" } },
        { on: { api: "Metadata" }, times: "always", do: { kind: "delay", when: "before", ms: [10, 20] } },
      );
      for (let i = 0; i < 5; i++) {
        const answer = answerOf(on.client, frame(metadata, 0, { topics: [] }, 3));
        await eventually("the pause", async () =>
          on.broker.faults.log().length === 2 * i + 1 ? true : null,
        );
        on.clock.advance(20);
        // A length of which a byte is wrong keeps the client waiting.
        await eventually("the answer", async () =>
          on.broker.faults.log().length === 2 * i + 2 ? true : null,
        );
        answer.catch(() => undefined);
      }
      return on.broker.faults.log().map(({ fault }) => fault);
    };
    const first = await chosen();
    expect(await chosen()).toEqual(first);
    const pauses = first.map((fault) => (fault.kind === "delay" ? Number(fault.ms) : 15));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(20);
    expect(new Set(first.map((fault) => (fault.kind === "corrupt" ? fault.at : -1))).size).toBeGreaterThan(2);
  });
});

describe("rules that can't be", () => {
  test.each<[string, FaultRule, RegExp]>([
    ["an unsupported API", { on: { api: "Produse" }, do: { kind: "split" } }, /"Produse".*Produce, Fetch/],
    ["an unknown broker", { on: { broker: 9 }, do: { kind: "split" } }, /no broker 9; the ids are 1/],
    ["call 0", { call: 0, do: { kind: "split" } }, /call must be/],
    ["half a time", { times: 0.5, do: { kind: "split" } }, /times must be/],
    ["a probability of 2", { probability: 2, do: { kind: "split" } }, /probability must be/],
    ["a negative delay", { do: { kind: "delay", when: "before", ms: -1 } }, /ms must be/],
    ["a range upside down", { do: { kind: "delay", when: "before", ms: [2, 1] } }, /ms must be/],
    ["no byte", { do: { kind: "cut", at: -1 } }, /at must be/],
    ["empty pieces", { do: { kind: "split", bytes: 0 } }, /bytes must be/],
    ["half an error code", { do: { kind: "error", code: 0.5 } }, /code must be/],
    ["a negative stall", { do: { kind: "stall", ms: -1 } }, /ms must be/],
  ])("%s", async (_what, rule, said) => {
    await using on = await faulty();
    expect(() => on.broker.faults.add(rule)).toThrow(FaultRuleError);
    expect(() => on.broker.faults.add(rule)).toThrow(said);
    expect(on.broker.faults.script().rules).toEqual([]);
  });
});
