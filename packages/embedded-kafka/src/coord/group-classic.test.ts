/** The classic group under a clock that moves only when told. What clients see of it: conformance/groups. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { VirtualClock } from "../time/virtual-clock.ts";
import type { JoinRequest, JoinResult, SyncResult } from "./classic-member.ts";
import { ClassicGroup } from "./group-classic.ts";

const SESSION_MS = 10_000;
const REBALANCE_MS = 30_000;

function request(change: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId: "",
    groupInstanceId: null,
    clientId: "c",
    clientHost: "/127.0.0.1",
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: REBALANCE_MS,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: Buffer.from("m") }],
    needsMemberId: false,
    canSkipAssignment: true,
    ...change,
  };
}

function newGroup(initialRebalanceDelayMs = 0, maxSize = 100) {
  const clock = new VirtualClock();
  return { clock, group: new ClassicGroup("g", clock, { initialRebalanceDelayMs, maxSize }) };
}

/** What became of a promise, without waiting for it. */
async function settled<T>(promise: Promise<T>): Promise<T | "waiting"> {
  return Promise.race([promise, new Promise<"waiting">((resolve) => setImmediate(resolve, "waiting"))]);
}

function sync(group: ClassicGroup, joined: JoinResult): Promise<SyncResult> {
  return group.sync({
    memberId: joined.memberId,
    groupInstanceId: null,
    generationId: joined.generationId,
    protocolType: null,
    protocolName: null,
    assignments: joined.members.map(({ memberId }) => ({ memberId, assignment: Buffer.from(memberId) })),
  });
}

/** A group of so many members that is stable. */
async function stable(count: number) {
  const made = newGroup(1);
  const joining = Array.from({ length: count }, () => made.group.join(request()));
  made.clock.advance(1);
  made.clock.advance(1);
  const members = await Promise.all(joining);
  await Promise.all(members.map((member) => sync(made.group, member)));
  expect(made.group.state).toBe("Stable");
  return { ...made, members };
}

describe("time", () => {
  test("a member that is not heard for its session is dropped, and the others rebalance", async () => {
    const { clock, group, members } = await stable(3);
    clock.advance(SESSION_MS - 1);
    for (const { memberId, generationId } of members.slice(1)) {
      expect(group.heartbeat(memberId, null, generationId)).toBe(0);
    }
    clock.advance(1);
    expect(group.state).toBe("PreparingRebalance");
    expect(group.members.map((one) => one.memberId)).toEqual(members.slice(1).map((one) => one.memberId));
    expect(group.leaderId).toBe(members[1]?.memberId);
  });

  test("who does not come back within the rebalance timeout is dropped", async () => {
    const { clock, group, members } = await stable(2);
    const third = group.join(request());
    const [first, second] = members;
    const again = group.join(request({ memberId: first?.memberId ?? "" }));
    clock.advance(SESSION_MS - 1);
    group.heartbeat(second?.memberId ?? "", null, second?.generationId ?? 0);
    for (let i = 0; i < 2; i++) {
      clock.advance(SESSION_MS - 1);
      expect(group.heartbeat(second?.memberId ?? "", null, second?.generationId ?? 0)).toBe(
        errorCode.rebalanceInProgress,
      );
      expect(await settled(third)).toBe("waiting");
    }
    clock.advance(SESSION_MS);
    expect(await settled(third)).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(await settled(again)).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(group.members).toHaveLength(2);
  });

  test("an empty group waits for more members, longer while they come, not longer than their timeout", async () => {
    const { clock, group } = newGroup(3000);
    const first = group.join(request({ rebalanceTimeoutMs: 7000 }));
    clock.advance(2000);
    const second = group.join(request({ rebalanceTimeoutMs: 7000 }));
    clock.advance(1000);
    expect(await settled(first)).toBe("waiting");
    group.join(request({ rebalanceTimeoutMs: 7000 }));
    clock.advance(3000);
    expect(await settled(first)).toBe("waiting");
    group.join(request({ rebalanceTimeoutMs: 7000 }));
    clock.advance(1000);
    expect(await settled(first)).toMatchObject({ errorCode: 0, generationId: 1 });
    expect(await settled(second)).toMatchObject({ errorCode: 0, members: [] });
    expect(group.members).toHaveLength(4);
  });

  test("an id that was given and never used is forgotten, and holds nobody up for longer", async () => {
    const { clock, group, members } = await stable(1);
    const given = await group.join(request({ needsMemberId: true }));
    expect(given.errorCode).toBe(errorCode.memberIdRequired);
    const again = group.join(request({ memberId: members[0]?.memberId ?? "" }));
    expect(await settled(again)).toBe("waiting");
    clock.advance(SESSION_MS);
    expect(await settled(again)).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(await group.join(request({ memberId: given.memberId }))).toMatchObject({
      errorCode: errorCode.unknownMemberId,
    });
  });

  test("a member that joins and never asks for its assignment is dropped", async () => {
    const { clock, group } = newGroup();
    await group.join(request({ sessionTimeoutMs: 60_000 }));
    clock.advance(REBALANCE_MS);
    expect(group.state).toBe("Empty");
  });

  test("nor does it stay by heartbeats where the others have theirs", async () => {
    const { clock, group } = newGroup(1);
    const joining = [group.join(request()), group.join(request())];
    clock.advance(2);
    const [leader, other] = await Promise.all(joining);
    if (leader === undefined || other === undefined) expect.unreachable("there are two");
    await sync(group, leader);
    const beat = (member: JoinResult) => group.heartbeat(member.memberId, null, member.generationId);
    for (let ms = 0; ms < REBALANCE_MS; ms += SESSION_MS / 2) {
      expect([group.state, beat(leader), beat(other)]).toEqual(["Stable", 0, 0]);
      clock.advance(SESSION_MS / 2);
    }
    expect(group.state).toBe("PreparingRebalance");
    expect(group.members.map(({ memberId }) => memberId)).toEqual([leader.memberId]);
  });

  test("a leader that dies before it assigned leaves nobody waiting", async () => {
    const { clock, group } = newGroup(1);
    const joining = [group.join(request()), group.join(request())];
    clock.advance(2);
    const [, follower] = await Promise.all(joining);
    if (follower === undefined) expect.unreachable("there are two");
    const waiting = sync(group, follower);
    expect(await settled(waiting)).toBe("waiting");
    clock.advance(SESSION_MS);
    expect(await settled(waiting)).toMatchObject({ errorCode: errorCode.rebalanceInProgress });
    expect(await settled(group.join(request({ memberId: follower.memberId })))).toMatchObject({
      generationId: 2,
      leader: follower.memberId,
    });
  });

  test("a static member keeps its place over a rebalance until its session ends", async () => {
    const { clock, group } = newGroup();
    const fixed = await group.join(request({ groupInstanceId: "i", sessionTimeoutMs: 40_000 }));
    await group.sync({ ...fixed, groupInstanceId: "i", assignments: [] });
    const other = group.join(request());
    clock.advance(REBALANCE_MS);
    expect(await settled(other)).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(group.members).toHaveLength(2);
  });
});

test("a full group takes nobody else", async () => {
  const { group } = newGroup(0, 1);
  await group.join(request());
  expect(await group.join(request())).toMatchObject({ errorCode: errorCode.groupMaxSizeReached });
});

test("closing answers everybody and leaves no timer", async () => {
  const { clock, group, members } = await stable(2);
  const waiting = group.join(
    request({
      memberId: members[0]?.memberId ?? "",
      protocols: [...request().protocols, { name: "x", metadata: Buffer.alloc(0) }],
    }),
  );
  group.join(request({ needsMemberId: true }));
  group.close();
  expect(await settled(waiting)).toMatchObject({ errorCode: errorCode.unknownMemberId });
  expect(clock.timers).toBe(0);
  expect(await group.join(request())).toMatchObject({ errorCode: errorCode.coordinatorNotAvailable });
});

describe("whatever members do", () => {
  const CLIENTS = 4;
  type Act = "join" | "leave" | "crash" | "heartbeat" | "time";
  const act = fc.record({
    what: fc.constantFrom<Act>("join", "join", "heartbeat", "leave", "crash", "time"),
    who: fc.nat({ max: CLIENTS - 1 }),
    ms: fc.integer({ min: 1, max: 15_000 }),
  });

  /** A client that does what clients do: join, sync, and join again when it is told to. */
  class Client {
    memberId = "";
    generationId = -1;
    assignment: string | null = null;
    running: Promise<void> | null = null;
    readonly #group: ClassicGroup;
    readonly #seen: (client: Client) => void;
    readonly #failed: (error: unknown) => void;

    constructor(group: ClassicGroup, seen: (client: Client) => void, failed: (error: unknown) => void) {
      this.#group = group;
      this.#seen = seen;
      this.#failed = failed;
    }

    start(): void {
      this.running ??= this.#join()
        .catch((error: unknown) => this.#failed(error))
        .finally(() => {
          this.running = null;
        });
    }

    async #join(): Promise<void> {
      this.assignment = null;
      const joined = await this.#group.join(request({ memberId: this.memberId, needsMemberId: true }));
      this.memberId = joined.memberId;
      if (joined.errorCode === errorCode.memberIdRequired) return this.#join();
      if (joined.errorCode !== 0) {
        this.memberId = "";
        return;
      }
      // The same one for a follower that joins a stable group again.
      expect(joined.generationId).toBeGreaterThanOrEqual(this.generationId);
      this.generationId = joined.generationId;
      const synced = await sync(this.#group, joined);
      if (synced.errorCode !== 0) return;
      this.assignment = synced.assignment.toString();
      this.#seen(this);
    }
  }

  test("each generation gives each share to one member, generations grow, and nobody waits for ever", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const { clock, group } = newGroup();
        const owners = new Map<string, string>();
        const seen = ({ generationId, assignment, memberId }: Client) => {
          const share = `${generationId} ${assignment}`;
          expect(owners.get(share) ?? memberId).toBe(memberId);
          expect(assignment).toBe(memberId);
          owners.set(share, memberId);
        };
        const failures: unknown[] = [];
        const failed = (error: unknown) => void failures.push(error);
        const clients = Array.from({ length: CLIENTS }, () => new Client(group, seen, failed));
        let generation = 0;
        for (const { what, who, ms } of acts) {
          const client = clients[who];
          if (client === undefined) continue;
          if (what === "join") client.start();
          else if (what === "time") clock.advance(ms);
          else if (what === "heartbeat" && client.memberId !== "") {
            const code = group.heartbeat(client.memberId, null, client.generationId);
            if (code === errorCode.rebalanceInProgress) client.start();
          } else if (what === "leave" && client.memberId !== "" && client.running === null) {
            group.leave(client.memberId, null);
            client.memberId = "";
          } else if (what === "crash") {
            // The old one's answers reach nobody, and the group is not told.
            clients[who] = new Client(group, seen, failed);
          }
          await new Promise((resume) => setImmediate(resume));
          expect(group.generationId).toBeGreaterThanOrEqual(generation);
          generation = group.generationId;
          if (group.state === "Empty") expect(group.members).toHaveLength(0);
        }
        // Nothing is heard any more: whoever waited is answered, and the group is empty in the end.
        for (let i = 0; i < 20; i++) {
          clock.advance(SESSION_MS);
          await new Promise((resume) => setImmediate(resume));
        }
        expect(failures).toEqual([]);
        expect(clients.every((client) => client.running === null)).toBe(true);
        expect([group.state, clock.timers]).toEqual(["Empty", 0]);
      }),
      { numRuns: 150 },
    );
  });
});
