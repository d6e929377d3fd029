import { describe, expect, test } from "vitest";
import { encodeCheckpoint } from "../state/checkpoint.ts";
import { startOf } from "./start-offsets.ts";

const noted = (owner: string) =>
  encodeCheckpoint({
    ...{ owner, revisionBase: 0, windows: new Map(), lives: new Map(), blocks: 0, origins: {} },
  });
const at = (low: number, high: number, committed: number, metadata: string | null = null) => ({
  low,
  high,
  committed,
  metadata,
});
const me = { owner: "me", nextOffset: 70, revisionBase: 1_000 };
const FAR = 2 ** 32;

describe("where processing of a partition starts", () => {
  test("a group without a position starts as it was told to", () => {
    expect(startOf(at(10, 90, -1), undefined, "latest", "earliest")).toEqual({
      kind: "fresh",
      offset: 90,
      revisionBase: 0,
    });
    expect(startOf(at(10, 90, -1), undefined, "earliest", "earliest")).toEqual({
      kind: "fresh",
      offset: 10,
      revisionBase: 0,
    });
  });

  test("a group with one continues there, with the state that its metadata names", () => {
    const there = { kind: "resume", position: 50 };
    expect(startOf(at(10, 90, 50), undefined, "latest", "earliest")).toEqual(there);
    expect(startOf(at(10, 90, 50, "another tool's"), undefined, "latest", "earliest")).toEqual(there);
    expect(startOf(at(10, 90, 50, noted("x")), undefined, "latest", "earliest")).toMatchObject({
      ...there,
      checkpoint: { owner: "x" },
    });
  });

  test("who had the partition all the time continues where it is; who had it before somebody else does not", () => {
    expect(startOf(at(10, 90, 50, noted("me")), me, "latest", "earliest")).toEqual({
      kind: "continue",
      offset: 70,
    });
    expect(startOf(at(10, 90, 60, noted("other")), me, "latest", "earliest")).toMatchObject({
      kind: "resume",
      position: 60,
    });
  });

  test("a recreated topic is read from its beginning, not from its end, with revisions above the earlier ones", () => {
    const recreated = { kind: "fresh", offset: 0, why: "topic-recreated" };
    const above = (revisionBase: number) => ({ ...recreated, revisionBase: revisionBase + FAR });
    expect(startOf(at(0, 90, -1), me, "latest", "earliest")).toEqual(above(1_070));
    expect(startOf(at(0, 5, 50), undefined, "latest", "latest")).toEqual(above(50));
    expect(startOf(at(0, 5, 50, noted("x")), undefined, "latest", "latest")).toEqual(above(50));
    expect(startOf(at(0, 5, 50, noted("me")), me, "latest", "latest")).toEqual(above(1_070));
  });

  test("where retention was quicker than we, the policy decides", () => {
    const gone = { kind: "fresh", revisionBase: 0, why: "records-gone" };
    expect(startOf(at(60, 90, 50), undefined, "latest", "earliest")).toEqual({ ...gone, offset: 60 });
    expect(startOf(at(60, 90, 50), undefined, "latest", "latest")).toEqual({ ...gone, offset: 90 });
    expect(startOf(at(80, 90, -2), me, "latest", "earliest")).toEqual({
      ...gone,
      offset: 80,
      revisionBase: 1_000,
    });
    expect(startOf(at(80, 90, -2), undefined, "latest", "earliest")).toEqual({
      kind: "fresh",
      offset: 80,
      revisionBase: 0,
    });
  });
});
