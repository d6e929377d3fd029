import { expect, test } from "vitest";
import { GRACE_MS, Pipeline } from "./pipelines.ts";

const on0 = (offset: number) => new Map([[0, offset]]);
const look = (position: number | undefined, end: number, isRun = true) => ({
  isRun,
  positions: position === undefined ? new Map<number, number>() : on0(position),
  ends: on0(end),
});

test("up to date: what was there a while ago is done, though new records keep coming", () => {
  const pipeline = new Pipeline("alert", 0);
  expect(pipeline.health.state).toBe("unknown");
  pipeline.observe(0, look(100, 100));
  for (let second = 1; second < 60; second++) {
    pipeline.observe(second * 1_000, look(100 + (second - 1) * 50, 100 + second * 50));
    expect(pipeline.health).toMatchObject({ state: "up-to-date", behind: 50, sinceMs: 0 });
  }
});

test("behind: one that stands still is told after the grace, with how much and since when", () => {
  const pipeline = new Pipeline("alert", 0);
  const states: string[] = [];
  for (let second = 0; second <= 6; second++) {
    pipeline.observe(second * 1_000, look(100, 100 + second * 10));
    states.push(pipeline.health.state);
  }
  const told = 1 + GRACE_MS / 1_000;
  expect(states.indexOf("behind")).toBe(told);
  expect(pipeline.health).toEqual({ name: "alert", state: "behind", behind: 60, sinceMs: 1_000 });
  pipeline.observe(7_000, look(160, 170));
  expect(pipeline.health).toMatchObject({ state: "up-to-date", behind: 10, sinceMs: 7_000 });
});

test("gone: nobody runs it, even where all is done", () => {
  const pipeline = new Pipeline("alert", 0);
  pipeline.observe(0, look(100, 100));
  pipeline.observe(1_000, look(100, 100, false));
  expect(pipeline.health).toMatchObject({ state: "gone", behind: 0, sinceMs: 1_000 });
  for (let second = 2; second <= 5; second++) pipeline.observe(second * 1_000, look(100, 150, false));
  pipeline.observe(6_000, look(100, 150));
  expect(pipeline.health).toMatchObject({ state: "behind", behind: 50 });
  pipeline.observe(7_000, look(150, 150));
  expect(pipeline.health.state).toBe("up-to-date");
});

test("from behind to gone, and back: since it was not up to date, an outage of Kafka between them or not", () => {
  const pipeline = new Pipeline("alert", 0);
  for (let second = 0; second <= 6; second++) pipeline.observe(second * 1_000, look(100, 100 + second * 10));
  expect(pipeline.health).toMatchObject({ state: "behind", sinceMs: 1_000 });
  pipeline.observe(7_000, look(100, 170, false));
  expect(pipeline.health).toMatchObject({ state: "gone", behind: 70, sinceMs: 1_000 });
  pipeline.lose(8_000);
  expect(pipeline.health).toMatchObject({ state: "unknown", sinceMs: 8_000 });
  pipeline.observe(9_000, look(100, 170, false));
  expect(pipeline.health).toMatchObject({ state: "gone", sinceMs: 1_000 });
  for (let second = 10; second <= 14; second++) pipeline.observe(second * 1_000, look(110, 170));
  expect(pipeline.health).toMatchObject({ state: "behind", sinceMs: 1_000 });
  for (let second = 15; second <= 16; second++) pipeline.observe(second * 1_000, look(180, 180));
  expect(pipeline.health).toMatchObject({ state: "up-to-date", sinceMs: 15_000 });
  pipeline.observe(17_000, look(180, 180, false));
  expect(pipeline.health).toMatchObject({ state: "gone", sinceMs: 17_000 });
});

test("soon after the start it is enough to have done what was there a look ago", () => {
  const pipeline = new Pipeline("alert", 0);
  pipeline.observe(0, look(100, 105));
  expect(pipeline.health.state).toBe("unknown");
  pipeline.observe(1_000, look(110, 115));
  expect(pipeline.health.state).toBe("up-to-date");
});

test("a partition without a position counts from where it was first seen", () => {
  const pipeline = new Pipeline("alert", 0);
  pipeline.observe(0, look(undefined, 500));
  expect(pipeline.health).toMatchObject({ state: "up-to-date", behind: 0 });
  for (let second = 1; second <= 5; second++) pipeline.observe(second * 1_000, look(undefined, 510));
  expect(pipeline.health).toMatchObject({ state: "behind", behind: 10 });
});

test("a topic that was deleted and recreated is no reason to be behind, nor to be up to date for ever", () => {
  const pipeline = new Pipeline("alert", 0);
  for (let second = 0; second <= 5; second++) pipeline.observe(second * 1_000, look(500, 500));
  for (let second = 6; second <= 12; second++) pipeline.observe(second * 1_000, look(500, 3));
  expect(pipeline.health).toMatchObject({ state: "up-to-date", behind: 0 });
  for (let second = 13; second <= 18; second++) pipeline.observe(second * 1_000, look(500, 9));
  expect(pipeline.health).toMatchObject({ state: "behind", behind: 6 });
});

test("a record has been passed once the look before the last one saw the position beyond it", () => {
  const pipeline = new Pipeline("alert", 0);
  const record = { partition: 0, offset: 100 };
  pipeline.observe(0, look(100, 101));
  pipeline.observe(1_000, look(101, 101));
  expect(pipeline.hasPassed(record)).toBe(false);
  pipeline.observe(2_000, look(101, 101));
  expect(pipeline.hasPassed(record)).toBe(true);
  expect(pipeline.hasPassed({ partition: 1, offset: 0 })).toBe(false);
});

test("unknown while Kafka can't be asked", () => {
  const pipeline = new Pipeline("alert", 0);
  pipeline.observe(0, look(100, 100));
  expect(pipeline.lose(5_000)).toBe(true);
  expect(pipeline.health).toEqual({ name: "alert", state: "unknown", behind: null, sinceMs: 5_000 });
  expect(pipeline.lose(6_000)).toBe(false);
});
