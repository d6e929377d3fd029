/** What is in a changelog, and for how long. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BlockLog, type Item, type Logged, NOWHERE } from "./block-log.ts";
import { ReadChangelog } from "./changelog.ts";
import { Store } from "./store.ts";

interface Named extends Item {
  readonly name: string;
  value: number;
}

/** Numbers by name, and the blocks that Kafka has of them. */
class Numbers implements Logged<Named> {
  readonly signature = "numbers";
  readonly log: BlockLog<Named> = new BlockLog(this);
  readonly items = new Map<string, Named>();
  readonly written = new Map<string, readonly unknown[]>();
  commits = 0;
  entriesWritten = 0;

  get size(): number {
    return this.items.size;
  }

  entryOf({ name, value }: Named): string {
    return JSON.stringify([name, value]);
  }

  load(entry: unknown): Named | undefined {
    if (!Array.isArray(entry)) return undefined;
    return this.set(String(entry[0]), Number(entry[1]));
  }

  set(name: string, value: number): Named {
    const item = this.items.get(name) ?? { name, value, block: NOWHERE };
    item.value = value;
    this.items.set(name, item);
    return item;
  }

  forget(name: string): void {
    const item = this.items.get(name);
    if (item !== undefined) this.log.gone(item);
    this.items.delete(name);
  }

  commit(owner = "me"): void {
    const { written, dead } = this.log.collect(owner, ++this.commits);
    for (const { id, text } of written) {
      const { e }: { e: unknown[] } = JSON.parse(text);
      this.entriesWritten += e.length;
      this.written.set(`${id.owner}/${id.commit}/${id.part}`, e);
    }
    for (const id of dead) this.written.delete(`${id.owner}/${id.commit}/${id.part}`);
  }

  readAnew(): Record<string, number> {
    const read = new Numbers();
    for (const [name, entries] of this.written) {
      const [owner = "", commit, part] = name.split("/");
      read.log.load({ owner, commit: Number(commit), part: Number(part) }, entries);
    }
    return read.values();
  }

  values(): Record<string, number> {
    return Object.fromEntries([...this.items].map(([name, { value }]) => [name, value]));
  }
}

test("what changes often, seldom or once is all there, in a log not much longer than what is kept", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 3_000 }), (seed, keys) => {
      const numbers = new Numbers();
      let state = seed;
      const chance = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      let changes = 0;
      for (let commit = 0; commit < 400; commit++) {
        for (let i = 0; i < 20; i++) {
          // Some are set again and again, others hardly ever.
          const name = `k${Math.floor(keys * chance() ** 4)}`;
          numbers.log.changed(numbers.set(name, commit));
          changes++;
        }
        numbers.commit(`life-${Math.floor(commit / 10)}`);
        expect(numbers.log.entries).toBeLessThanOrEqual(2 * numbers.size + 1_000 + 20 + numbers.size / 4);
        expect(numbers.log.blocks).toBeLessThanOrEqual(130 + numbers.size / 32);
      }
      expect(numbers.readAnew()).toEqual(numbers.values());
      expect(numbers.log.owners().size).toBeLessThanOrEqual(14);
      expect(numbers.entriesWritten).toBeLessThanOrEqual(4 * changes + 40 * 400);
    }),
    { numRuns: 20 },
  );
});

test("what is forgotten by its time takes its blocks with it", () => {
  const numbers = new Numbers();
  for (let second = 0; second < 500; second++) {
    for (let key = 0; key < 50; key++) numbers.log.changed(numbers.set(`${key}@${second}`, second));
    for (let key = 0; key < 50; key++) numbers.forget(`${key}@${second - 60}`);
    numbers.commit();
  }
  expect(numbers.size).toBe(60 * 50);
  expect(numbers.log.blocks).toBe(60);
  expect(numbers.written.size).toBe(60);
  // Nothing was written twice.
  expect(numbers.entriesWritten).toBe(500 * 50);
});

test("a large commit is several blocks, each of which Kafka takes", () => {
  const numbers = new Numbers();
  for (let i = 0; i < 100_000; i++) numbers.log.changed(numbers.set(`device-${i}`, i));
  const { written } = numbers.log.collect("me", 1);
  expect(written.length).toBeGreaterThan(5);
  expect(Math.max(...written.map(({ text }) => text.length))).toBeLessThan(300 * 1024);
});

test("values that are set and deleted leave nothing behind, beside one that stays", () => {
  const store = new Store({ name: "s", ttlMs: undefined });
  store.put("stays", { json: "1", setMs: 0 });
  for (let commit = 1; commit < 2_000; commit++) {
    store.put(`k${commit}`, { json: "1", setMs: commit });
    store.put(`k${commit - 1}`, undefined);
    store.log.collect("me", commit);
  }
  expect(store.size).toBe(2);
  expect(store.log.blocks).toBeLessThan(200);
});

test("a block that a producer has repeated stands where it stood first", () => {
  const changelog = new ReadChangelog();
  const key = (name: string) => Buffer.from(name);
  const value = Buffer.from("{}");
  for (const name of ["me/1/0", "me/2/0", "me/1/0", "no block"]) changelog.take({ key: key(name), value });
  changelog.take({ key: key("me/3/0"), value });
  changelog.take({ key: key("me/2/0"), value: null });
  expect([...changelog.blocks()].map(({ id }) => id.commit)).toEqual([1, 3]);
});
