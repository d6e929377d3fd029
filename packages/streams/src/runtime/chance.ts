/** Chance that is the same each time: from one number, as a test needs it. */

/** Numbers from 0 to less than 1, by mulberry32. */
export function chanceOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The list in another order, in which nothing stands behind what was more than `places` after it. */
export function shuffledWithin<T>(list: readonly T[], places: number, chance: () => number): T[] {
  return list
    .map((each, i) => ({ each, at: i + chance() * (places + 1) }))
    .sort((left, right) => left.at - right.at)
    .map(({ each }) => each);
}
