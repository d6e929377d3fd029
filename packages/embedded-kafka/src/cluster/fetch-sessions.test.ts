import { expect, test } from "vitest";
import { VirtualClock } from "../time/virtual-clock.ts";
import { type FetchedPartition, FetchSessions } from "./fetch-sessions.ts";

const [ONE, OTHER] = [1, 2];
const SLOTS = 1000;
const TOO_MANY_PARTITIONS = 10_001;

const partition = (index: number): FetchedPartition => ({
  topic: "t",
  topicId: "",
  index,
  fetchOffset: 0,
  maxBytes: 1,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  found: undefined,
});
const begin = (sessions: FetchSessions, broker = ONE) => sessions.begin(broker, false, [partition(0)]);

test("each broker has its own sessions, and forgets them when it stops", () => {
  const sessions = new FetchSessions(new VirtualClock());
  const id = begin(sessions)?.id ?? 0;
  expect(sessions.find(ONE, id)?.id).toBe(id);
  expect(sessions.find(OTHER, id)).toBeUndefined();
  sessions.brokerStopped(OTHER);
  expect(sessions.find(ONE, id)?.id).toBe(id);
  sessions.brokerStopped(ONE);
  expect(sessions.find(ONE, id)).toBeUndefined();
});

test("a full broker gives the place of a session away once nobody has used it for two minutes", () => {
  const clock = new VirtualClock();
  const sessions = new FetchSessions(clock);
  const first = begin(sessions);
  const second = begin(sessions);
  for (let count = 2; count < SLOTS; count++) expect(begin(sessions)).not.toBeNull();
  expect(begin(sessions)).toBeNull();
  expect(begin(sessions, OTHER)).not.toBeNull();
  clock.advance(120_000);
  expect(begin(sessions)).toBeNull();
  if (first !== null) sessions.advance(ONE, first, [], []);
  clock.advance(1);
  expect(begin(sessions)).not.toBeNull();
  expect(sessions.find(ONE, second?.id ?? 0)).toBeUndefined();
  expect(sessions.find(ONE, first?.id ?? 0)).toBe(first);
});

test("what a session holds is bounded", () => {
  const sessions = new FetchSessions(new VirtualClock());
  const many = Array.from({ length: TOO_MANY_PARTITIONS }, (_, index) => partition(index));
  expect(sessions.begin(ONE, false, many)).toBeNull();
  const session = begin(sessions);
  if (session === null) expect.unreachable();
  expect(sessions.advance(ONE, session, many, [])).toBe(false);
  expect(sessions.find(ONE, session.id)).toBeUndefined();
});

test("epochs begin again at 1", () => {
  const sessions = new FetchSessions(new VirtualClock());
  const session = begin(sessions);
  if (session === null) expect.unreachable();
  expect(session.epoch).toBe(1);
  session.epoch = 2 ** 31 - 1;
  sessions.advance(ONE, session, [], []);
  expect(session.epoch).toBe(1);
});

test("partitions that gave bytes are read last", () => {
  const sessions = new FetchSessions(new VirtualClock());
  const session = sessions.begin(ONE, false, [0, 1, 2].map(partition));
  if (session === null) expect.unreachable();
  const state = { errorCode: 0, highWatermark: 5, logStartOffset: 0, diverges: false };
  expect(session.isNews(partition(0), { ...state, bytes: 70 })).toBe(true);
  expect(session.wanted.map(({ index }) => index)).toEqual([1, 2, 0]);
  expect(session.isNews(partition(0), { ...state, bytes: 0 })).toBe(false);
});
