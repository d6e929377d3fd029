/** Everything that waits follows the broker's clock: with a virtual one, nothing happens a millisecond early or late. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorCode, VirtualClock } from "../index.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { joinGroup } from "../protocol/messages/join-group.ts";
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { create, eventually, fetchOne } from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { type Started, started } from "../testing/started.ts";

test("no other file asks the machine for the time or for a timer", () => {
  const src = join(import.meta.dirname, "..");
  const files = globSync("**/*.ts", { cwd: src }).filter(
    (file) => !file.endsWith(".test.ts") && !file.startsWith("testing/") && file !== "time/clock.ts",
  );
  const machineTime = /\b(Date\.now|new Date\(\)|setTimeout|setInterval|performance\.|hrtime|node:timers)/;
  const found = files.filter((file) => {
    const code = readFileSync(join(src, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    return machineTime.test(code);
  });
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});

const virtual = async (): Promise<Started & { clock: VirtualClock }> => {
  const clock = new VirtualClock();
  return { ...(await started({ clock })), clock };
};

/** Whether a request has been answered by the time that another connection has had answers. */
async function isAnswered(on: Started, answer: Promise<unknown>): Promise<boolean> {
  const other = await on.connect();
  const silence = async () => {
    for (let i = 0; i < 5; i++) await other.send(apiVersions, 0, {});
    return false;
  };
  return Promise.race([answer.then(() => true), silence()]);
}

test("a fetch that finds nothing", async () => {
  await using on = await virtual();
  await create(on.client, { name: "t" });
  const answer = fetchOne(on.client, "t", 0, { maxWaitMs: 3_600_000 });
  await eventually("the fetch", async () =>
    on.broker.topics()[0]?.partitions[0]?.waitingFetches === 1 ? true : null,
  );
  on.clock.advance(3_599_999);
  expect(await isAnswered(on, answer)).toBe(false);
  on.clock.advance(1);
  expect((await answer).errorCode).toBe(errorCode.none);
});

const joinAs = (client: RawClient, memberId: string) =>
  client.send(joinGroup, 5, {
    groupId: "g",
    sessionTimeoutMs: 45_000,
    rebalanceTimeoutMs: 40_000,
    memberId,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
  });
const joined = async (client: RawClient) => joinAs(client, (await joinAs(client, "")).memberId);
const members = (on: Started) => on.broker.groups()[0]?.members.length;

test("a rebalance for the member that does not come back", async () => {
  await using on = await virtual();
  await joined(on.client);
  const second = await on.connect();
  const { memberId } = await joinAs(second, "");
  const answer = joinAs(second, memberId);
  await eventually("the second one", async () => (members(on) === 2 ? true : null));
  on.clock.advance(39_999);
  expect(await isAnswered(on, answer)).toBe(false);
  on.clock.advance(1);
  expect(await answer).toMatchObject({ errorCode: errorCode.none, generationId: 2, members: [{ memberId }] });
});

test("a session, from its last heartbeat on", async () => {
  await using on = await virtual();
  const { memberId, generationId } = await joined(on.client);
  const member = { groupId: "g", memberId, generationId };
  expect((await on.client.send(syncGroup, 3, { ...member, assignments: [] })).errorCode).toBe(errorCode.none);
  on.clock.advance(44_999);
  expect((await on.client.send(heartbeat, 4, member)).errorCode).toBe(errorCode.none);
  on.clock.advance(44_999);
  expect(members(on)).toBe(1);
  on.clock.advance(1);
  expect(members(on)).toBe(0);
});

test("the initial delay of an empty group", async () => {
  const clock = new VirtualClock();
  await using on = await started({ clock, configs: { "group.initial.rebalance.delay.ms": "3000" } });
  const answer = joined(on.client);
  await eventually("the member", async () => (members(on) === 1 ? true : null));
  clock.advance(2999);
  expect(await isAnswered(on, answer)).toBe(false);
  clock.advance(1);
  expect((await answer).generationId).toBe(1);
});
