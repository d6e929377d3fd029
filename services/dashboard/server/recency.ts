/** So many touches may come between two uses of the iterator: it costs 50 bytes for each. */
const TOUCHES_MAX = 10_000;

/** A map in the order of the last touch, for things of which the least recent makes way. */
export class RecencyMap<V> {
  readonly #map = new Map<string, V>();
  /**
   * Goes through the keys once. Nothing that is there lies behind it: what it gives is dropped, and what is touched
   * moves to the end. Started over each time it would step over all that was dropped before: 70 µs in a flood.
   *
   * undefined: to be begun. A map rebuilds its table from time to time, and an iterator keeps all tables since its
   * last step: one that nobody needs for long must not be kept.
   */
  #oldest: Iterator<string> | undefined;
  #touches = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  /** The least recent first. */
  values(): Iterable<V> {
    return this.#map.values();
  }

  /** Puts or moves a value to the end. */
  touch(key: string, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    this.#touches += 1;
    if (this.#touches > TOUCHES_MAX) this.#oldest = undefined;
  }

  delete(key: string): void {
    this.#map.delete(key);
  }

  /** Drops the least recent and gives it. */
  dropOldest(): V | undefined {
    this.#touches = 0;
    this.#oldest ??= this.#map.keys();
    let next = this.#oldest.next();
    if (next.done === true) {
      this.#oldest = this.#map.keys();
      next = this.#oldest.next();
    }
    if (next.done === true) return undefined;
    const value = this.#map.get(next.value);
    this.#map.delete(next.value);
    return value;
  }
}
