import fc from "fast-check";
import { expect, test } from "vitest";
import { RecencyMap } from "./recency.ts";

test("what is dropped is always what was touched longest ago", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ touch: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(12) }) },
    { weight: 2, arbitrary: fc.constant({ drop: true }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const map = new RecencyMap<number>();
      let plain: number[] = [];
      for (const one of steps) {
        if ("touch" in one) {
          map.touch(String(one.touch), one.touch);
          plain = [...plain.filter((key) => key !== one.touch), one.touch];
        } else if ("remove" in one) {
          map.delete(String(one.remove));
          plain = plain.filter((key) => key !== one.remove);
        } else expect(map.dropOldest()).toBe(plain.shift());
        expect([...map.values()]).toEqual(plain);
        expect(map.size).toBe(plain.length);
      }
    }),
    { numRuns: 500 },
  );
});
