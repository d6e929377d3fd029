import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { OffsetSet } from "./offset-set.ts";

function setOf(offsets: readonly number[]): OffsetSet {
  const set = new OffsetSet();
  for (const offset of offsets.toSorted((left, right) => left - right)) set.add(offset);
  return set;
}

test("a set of offsets is what was put into it, also when written and read", () => {
  const offsets = fc.uniqueArray(fc.integer({ min: 1_000, max: 1_300 }), { maxLength: 100 });
  fc.assert(
    fc.property(offsets, fc.integer({ min: 900, max: 1_350 }), (list, base) => {
      const set = setOf(list);
      set.dropBelow(base);
      const read = OffsetSet.decode(set.encode(base), base);
      for (let offset = 900; offset <= 1_350; offset++) {
        if (offset < base) continue;
        expect(set.has(offset)).toBe(list.includes(offset));
        expect(read.has(offset)).toBe(list.includes(offset));
      }
    }),
  );
});

test("a checkpoint is read as it was written; anything else is none", () => {
  const window = { clockMs: 7, toldMs: undefined, uncounted: setOf([5, 6, 9]) };
  const checkpoint = {
    owner: "me",
    revisionBase: 3,
    rewindTo: 5,
    origins: { sensor: "0.2s.0 1.30.1" },
    windows: new Map([["w", window]]),
  };
  const read = decodeCheckpoint(encodeCheckpoint(checkpoint).text);
  expect(read).toEqual(checkpoint);
  for (const other of [null, "", "{", "7", "[]", '{"v":1}', '{"v":2,"o":"x","b":1,"r":1,"w":{"w":[1]}}']) {
    expect(decodeCheckpoint(other)).toBeUndefined();
  }
});

test("a checkpoint fits into what Kafka allows; what is left out is the oldest, and said", () => {
  const offsets = Array.from({ length: 3_000 }, (_, i) => i * 3);
  const window = { clockMs: 1, toldMs: 1, uncounted: setOf(offsets) };
  const checkpoint = {
    owner: "me",
    revisionBase: 0,
    rewindTo: 0,
    origins: {},
    windows: new Map([["w", window]]),
  };
  const { text, lost } = encodeCheckpoint(checkpoint);
  expect(text.length).toBeLessThanOrEqual(4_096);
  expect(lost).toBeGreaterThan(0);
  const read = decodeCheckpoint(text)?.windows.get("w")?.uncounted;
  expect(offsets.filter((offset) => read?.has(offset))).toEqual(offsets.slice(lost));
});
