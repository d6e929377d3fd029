import { expect, test } from "vitest";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";

const checkpoint: Checkpoint = {
  owner: "me",
  revisionBase: 3,
  windows: new Map([["w", { clockMs: 7, toldMs: undefined }]]),
  lives: new Map([
    ["earlier", 12],
    ["me", 3],
  ]),
  blocks: 4,
  origins: { sensor: "0.2s.0 1.30.1" },
};

test("a checkpoint is read as it was written; anything else is none", () => {
  expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
  const least = { ...checkpoint, lives: new Map(), blocks: 0, origins: {} };
  expect(decodeCheckpoint(encodeCheckpoint(least))).toEqual(least);
  const wrong = [
    '{"v":2,"o":"x","b":1,"r":1,"w":{}}',
    '{"v":3,"o":"x","b":1,"w":{"w":[1]}}',
    '{"v":3,"o":"x","b":1,"w":{},"l":{}}',
    '{"v":3,"o":"x","b":1,"w":{},"l":[["x"]]}',
  ];
  for (const other of [null, "", "{", "7", "[]", ...wrong]) expect(decodeCheckpoint(other)).toBeUndefined();
});

test("who is behind is noted where there is room", () => {
  const behind = { upstreams: { sensor: "0.loyw3v28 1.?" }, seenMs: 1_700_000_000_000 };
  expect(decodeCheckpoint(encodeCheckpoint({ ...checkpoint, behind }))).toEqual({ ...checkpoint, behind });
  const many = { ...behind, upstreams: { sensor: "0.loyw3v28 ".repeat(400) } };
  expect(decodeCheckpoint(encodeCheckpoint({ ...checkpoint, behind: many }))).toEqual(checkpoint);
});

test("a checkpoint that Kafka would not take is refused, and it is said what to do", () => {
  const windows = new Map(
    Array.from({ length: 100 }, (_, i) => [
      `a-window-with-a-rather-long-name-${i}`,
      { clockMs: i, toldMs: i },
    ]),
  );
  expect(() => encodeCheckpoint({ ...checkpoint, windows })).toThrow(/too many windows.*shorter names/);
});
