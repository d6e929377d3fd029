/**
 * Quantiles of any number of values in little memory, within a relative error: a DDSketch (Masson, Rim, Lee, VLDB 2019,
 * https://arxiv.org/abs/1908.10693). Two of them merge exactly, so that how values were spread over panes changes nothing.
 *
 * Our own because the libraries change a sketch in place, and a window's panes must stay as they were until a record
 * counts; and because a plain list of numbers is what a changelog can hold.
 *
 * A value belongs into bucket i of its sign when `gamma^(i-1) < |value| <= gamma^i`. Buckets are never thrown together,
 * so the error holds at both ends; values from 1e-9 to 1e9 fill 2,073 of them at most, at an error of 1 %.
 */

/** Buckets in the order of their values, each with how many values are in it. */
type Buckets = readonly (readonly [bucket: number, count: number])[];

export interface Sketch {
  readonly buckets: Buckets;
  /** The buckets of the newest values, not sorted in yet: so that not every value costs a copy. */
  readonly recent: readonly number[];
}

const RECENT_MAX = 32;
/** Lifts the buckets of all finite numbers above zero (|i| < 2^25 for errors from 1e-4 on), whose own bucket it is. */
const LIFT = 2 ** 25;

/** Of values whose quantiles are told within `accuracy` times themselves. */
export class Sketching {
  readonly #gamma: number;
  readonly #logGamma: number;

  constructor(accuracy: number) {
    this.#gamma = (1 + accuracy) / (1 - accuracy);
    this.#logGamma = Math.log(this.#gamma);
  }

  add(sketch: Sketch | undefined, value: number): Sketch {
    const { buckets, recent } = sketch ?? { buckets: [], recent: [] };
    const added = [...recent, this.#bucketOf(value)];
    return added.length < RECENT_MAX
      ? { buckets, recent: added }
      : { buckets: both(buckets, added), recent: [] };
  }

  merge(left: Sketch, right: Sketch): Sketch {
    return { buckets: sum(sorted(left), sorted(right)), recent: [] };
  }

  /** The value of which a share `level` of all others are below. */
  quantile(sketch: Sketch, level: number): number {
    const buckets = sorted(sketch);
    const total = buckets.reduce((count, [, each]) => count + each, 0);
    const rank = level * (total - 1);
    let below = 0;
    for (const [bucket, count] of buckets) {
      below += count;
      if (below > rank) return this.#valueOf(bucket);
    }
    return Number.NaN;
  }

  #bucketOf(value: number): number {
    if (value === 0) return 0;
    return Math.sign(value) * (Math.ceil(Math.log(Math.abs(value)) / this.#logGamma) + LIFT);
  }

  /** As far, in proportion, from the bucket's lower end as from its upper one. */
  #valueOf(bucket: number): number {
    if (bucket === 0) return 0;
    const upper = this.#gamma ** (Math.abs(bucket) - LIFT);
    return (Math.sign(bucket) * 2 * upper) / (1 + this.#gamma);
  }
}

function sorted({ buckets, recent }: Sketch): Buckets {
  return recent.length === 0 ? buckets : both(buckets, recent);
}

function both(buckets: Buckets, recent: readonly number[]): Buckets {
  const ascending = recent
    .toSorted((left, right) => left - right)
    .map((bucket): [number, number] => [bucket, 1]);
  return sum(buckets, ascending);
}

/** One list of two that are sorted; equal buckets, also of one list, become one. */
function sum(left: Buckets, right: Buckets): Buckets {
  const result: [number, number][] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const nextLeft = left[l];
    const nextRight = right[r];
    const isLeft = nextRight === undefined || (nextLeft !== undefined && nextLeft[0] <= nextRight[0]);
    const next = isLeft ? nextLeft : nextRight;
    if (isLeft) l++;
    else r++;
    if (next === undefined) break;
    const last = result.at(-1);
    if (last !== undefined && last[0] === next[0]) last[1] += next[1];
    else result.push([next[0], next[1]]);
  }
  return result;
}
