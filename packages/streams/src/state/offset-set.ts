/** A set of offsets that grows at its upper end, kept as ranges: short when written down. */

interface Range {
  readonly first: number;
  last: number;
}

export class OffsetSet {
  #ranges: Range[] = [];

  add(offset: number): void {
    const newest = this.#ranges.at(-1);
    if (newest !== undefined && offset <= newest.last) return;
    if (newest !== undefined && offset === newest.last + 1) newest.last = offset;
    else this.#ranges.push({ first: offset, last: offset });
  }

  has(offset: number): boolean {
    let low = 0;
    let high = this.#ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = this.#ranges[middle];
      if (range === undefined) return false;
      if (offset < range.first) high = middle - 1;
      else if (offset > range.last) low = middle + 1;
      else return true;
    }
    return false;
  }

  /** Forgets what is below. */
  dropBelow(offset: number): void {
    this.#ranges = this.#ranges.filter(({ last }) => last >= offset);
  }

  /** Forgets the oldest range; false where there is none. */
  dropOldest(): boolean {
    return this.#ranges.shift() !== undefined;
  }

  /** Gaps and lengths in base 36, counted up from `base`. */
  encode(base: number): string {
    let at = base;
    const parts: string[] = [];
    for (const { first, last } of this.#ranges) {
      const from = Math.max(first, base);
      parts.push(
        last === from
          ? (from - at).toString(36)
          : `${(from - at).toString(36)}.${(last - from).toString(36)}`,
      );
      at = last;
    }
    return parts.join(" ");
  }

  static decode(text: string, base: number): OffsetSet {
    const set = new OffsetSet();
    let at = base;
    for (const part of text === "" ? [] : text.split(" ")) {
      const [gap = "", length = "0"] = part.split(".");
      const first = at + Number.parseInt(gap, 36);
      const last = first + Number.parseInt(length, 36);
      if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return new OffsetSet();
      set.#ranges.push({ first, last });
      at = last;
    }
    return set;
  }
}
