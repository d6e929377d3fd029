/** Rows whose time is a slip of the pen: a mistyped year would hold up all rows after it for months. */

/** A row's time, in milliseconds since the epoch. */
interface Timed {
  timeMs: number;
}

/** A row is a stray only if it is this many times further away from its neighbours than they are from each other. */
const TIMES_FURTHER = 100;

/**
 * The rows without those that are far away from both their neighbours while these are near each other: more than
 * `farMs`, and a hundred times their distance. A file whose rows only go forward loses none between its first and its
 * last, however long its gaps are; the first and the last row are compared with the two nearest to them.
 *
 * @param onStray gets each row that is left out, and how far from its nearest neighbour it is
 */
export async function* withoutStrays<R extends Timed>(
  rows: AsyncIterable<R>,
  farMs: number,
  onStray: (row: R, distanceMs: number) => void,
): AsyncGenerator<R> {
  /** The last two that were let through, the newest first. */
  let passed: R[] = [];
  /** Those that wait for the rows after them. */
  const held: R[] = [];
  const judge = function* (): Generator<R> {
    const row = held.shift();
    if (row === undefined) return;
    const distanceMs = strayBy(row, neighboursOf(passed, held), farMs);
    if (distanceMs !== undefined) {
      onStray(row, distanceMs);
      return;
    }
    passed = [row, ...passed.slice(0, 1)];
    yield row;
  };
  for await (const row of rows) {
    held.push(row);
    if (held.length + Math.min(passed.length, 1) > 2) yield* judge();
  }
  while (held.length > 0) yield* judge();
}

/** One on each side where there is one, else the two on the one side. */
function neighboursOf<R>([before, beforeThat]: readonly R[], [after, afterThat]: readonly R[]): R[] {
  return [before, after, afterThat, beforeThat].filter((row) => row !== undefined).slice(0, 2);
}

function strayBy(row: Timed, [one, other]: readonly Timed[], farMs: number): number | undefined {
  if (one === undefined || other === undefined) return undefined;
  const distance = (a: Timed, b: Timed) => Math.abs(a.timeMs - b.timeMs);
  const nearestMs = Math.min(distance(row, one), distance(row, other));
  return nearestMs > Math.max(farMs, TIMES_FURTHER * distance(one, other)) ? nearestMs : undefined;
}
