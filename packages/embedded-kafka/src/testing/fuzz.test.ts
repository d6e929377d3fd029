import { expect, test } from "vitest";
import { fuzzRound } from "./fuzz.ts";

/** Seeds that once found something: Metadata 10 and 11 of a topic without a name. */
const FOUND = [27, 286];

test.each([...FOUND, ...Array.from({ length: 20 }, (_, index) => 1000 + index)])(
  "the broker outlives random frames, and keeps a partition beside them (seed %i)",
  async (seed) => {
    expect(await fuzzRound(seed)).toBeGreaterThan(10);
  },
);
