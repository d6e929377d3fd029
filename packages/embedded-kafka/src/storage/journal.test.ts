/** The journal of a broker's state: a map that outlives the process, whole or cut at any byte. */
import * as fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TemporaryFolder } from "../testing/temporary-folder.ts";
import { FilePool } from "./file-pool.ts";
import { Journal } from "./journal.ts";

function open(path: string, cuts: number[] = []) {
  const pool = new FilePool();
  return { journal: new Journal(path, pool, (bytes) => cuts.push(bytes)), pool };
}

const contents = (journal: Journal) => journal.entries("k").map(({ key, value }) => [key[1], value]);

test("holds what was put last, through restarts and rewriting", () => {
  const change = fc.record({ key: fc.nat({ max: 9 }), value: fc.option(fc.string({ maxLength: 30 })) });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.array(change, { maxLength: 4 }), fc.constant("restart" as const))),
      (steps) => {
        using folder = new TemporaryFolder();
        const path = join(folder.path, "journal");
        let { journal, pool } = open(path);
        const model = new Map<number, string>();
        for (const one of steps) {
          if (one === "restart") {
            pool.closeAll();
            ({ journal, pool } = open(path));
          } else {
            journal.together(() => {
              for (const { key, value } of one) {
                if (value === null) journal.delete(["k", key]);
                else journal.put(["k", key], value);
              }
            });
            for (const { key, value } of one) {
              if (value === null) model.delete(key);
              else model.set(key, value);
            }
          }
          expect(new Map(journal.entries("k").map(({ key, value }) => [key[1], value]))).toEqual(model);
        }
        pool.closeAll();
      },
    ),
    { numRuns: 100 },
  );
});

test("cut at any byte, it is what it was after one of its changes", () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "journal");
  const { journal, pool } = open(path);
  const states: unknown[] = [[]];
  const sizes = [0];
  for (let i = 0; i < 5; i++) {
    journal.together(() => {
      journal.put(["k", i], { value: "ü".repeat(i) });
      if (i > 1) journal.delete(["k", i - 2]);
    });
    states.push(contents(journal));
    sizes.push(fs.statSync(path).size);
  }
  pool.closeAll();
  const bytes = fs.readFileSync(path);
  for (let cut = 0; cut <= bytes.length; cut++) {
    fs.writeFileSync(path, bytes.subarray(0, cut));
    const cuts: number[] = [];
    const again = open(path, cuts);
    const whole = sizes.findLastIndex((size) => size <= cut);
    expect(contents(again.journal)).toEqual(states[whole]);
    const torn = cut - (sizes[whole] ?? 0);
    expect(cuts).toEqual(torn === 0 ? [] : [torn]);
    again.pool.closeAll();
  }
});

test("does not grow with the number of changes, and rewriting loses nothing", () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "journal");
  const { journal, pool } = open(path);
  journal.put(["k", "first"], "kept");
  for (let i = 0; i < 20_000; i++) journal.put(["k", i % 10], { round: i, filling: "x".repeat(100) });
  expect(fs.statSync(path).size).toBeLessThan(2 * 1024 * 1024);
  const before = contents(journal);
  pool.closeAll();
  const again = open(path);
  expect(contents(again.journal)).toEqual(before);
  again.pool.closeAll();
});

test("what fails in the middle of a change changes nothing", () => {
  using folder = new TemporaryFolder();
  const { journal, pool } = open(join(folder.path, "journal"));
  journal.put(["k", 1], "a");
  expect(() =>
    journal.together(() => {
      journal.put(["k", 1], "b");
      throw new RangeError("no");
    }),
  ).toThrow(RangeError);
  expect(contents(journal)).toEqual([[1, "a"]]);
  pool.closeAll();
});
