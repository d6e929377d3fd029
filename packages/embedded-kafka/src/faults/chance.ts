/** Chance that is no chance: the same seed and the same numbers give the same answer, in whatever order one asks. */

/** 0 (included) to 1 (excluded), by all of the numbers: the mixing steps of MurmurHash3. */
export function chance(...numbers: readonly number[]): number {
  let hash = 0;
  for (const number of numbers) {
    hash = Math.imul(hash ^ mixed(number | 0), 0x9e37_79b1);
    hash = (hash << 13) | (hash >>> 19);
  }
  return (mixed(hash ^ numbers.length) >>> 0) / 2 ** 32;
}

function mixed(number: number): number {
  let bits = number;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return bits ^ (bits >>> 16);
}

/** A whole number from `least` up to `most`, both included. */
export function between(part: number, least: number, most: number): number {
  return least + Math.floor(part * (most - least + 1));
}
