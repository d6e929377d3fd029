/** Keys by the time when something is due for them, the earliest first: a binary heap. */
export interface Due {
  readonly atMs: number;
  readonly key: string;
}

export class DueQueue {
  readonly #heap: Due[] = [];

  /** When the next is due; infinite where there is none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  put(atMs: number, key: string): void {
    const heap = this.#heap;
    const added = { atMs, key };
    let at = heap.length;
    heap.push(added);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = added;
  }

  /** Takes the next that is due at the time; undefined where there is none. */
  take(untilMs: number): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atMs > untilMs) return undefined;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let least = left;
      if (right !== undefined && right.atMs < left.atMs) {
        least = right;
        child++;
      }
      if (least.atMs >= last.atMs) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
