/** The index against a plain list of everything that happened. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Decision, TransactionIndex } from "./transaction-index.ts";

interface Past {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Null while it is open. */
  lastOffset: number | null;
  decision: Decision;
}

const producerId = fc.nat({ max: 3 });
const step = fc.oneof(
  fc.record({ do: fc.constant("write" as const), producerId, gap: fc.nat({ max: 3 }) }),
  fc.record({ do: fc.constant("end" as const), producerId, committed: fc.boolean() }),
  fc.record({ do: fc.constant("delete" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

test("open, committed and aborted stretches are those that were written, whatever was deleted", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = new TransactionIndex();
      const all: Past[] = [];
      const openOf = (id: number) => all.find((one) => one.producerId === id && one.lastOffset === null);
      let end = 0;
      let start = 0;
      for (const one of steps) {
        switch (one.do) {
          case "write":
            end += one.gap;
            index.wrote(one.producerId, end);
            if (openOf(one.producerId) === undefined) {
              all.push({ producerId: one.producerId, firstOffset: end, lastOffset: null, decision: "open" });
            }
            end++;
            break;
          case "end": {
            const open = openOf(one.producerId);
            index.ended(one.producerId, end, one.committed);
            if (open !== undefined) {
              open.lastOffset = end;
              open.decision = one.committed ? "committed" : "aborted";
            }
            end++;
            break;
          }
          case "delete":
            start = Math.max(start, Math.floor(one.share * end));
            index.deleteBefore(start);
            break;
        }
        const open = all.filter(({ decision }) => decision === "open");
        expect(index.firstOpenOffset).toBe(open[0]?.firstOffset ?? null);
        for (let id = 0; id <= 3; id++) expect(index.openSince(id)).toBe(openOf(id)?.firstOffset ?? null);
        const overlapping = (from: number, to: number) =>
          all.flatMap(({ decision, producerId: id, firstOffset, lastOffset }) =>
            decision === "aborted" && lastOffset !== null && lastOffset >= from && firstOffset < to
              ? [{ producerId: id, firstOffset, lastOffset }]
              : [],
          );
        const byEnd = (a: { lastOffset: number }, b: { lastOffset: number }) => a.lastOffset - b.lastOffset;
        for (const [from, to] of [
          [start, end],
          [start, start + 1],
          [Math.floor((start + end) / 2), end],
        ] as const) {
          expect(index.abortedBetween(from, to)).toEqual(overlapping(from, to).sort(byEnd));
        }
        for (const { producerId: id, firstOffset, decision } of all) {
          if (firstOffset >= start) expect(index.decisionOn(id, firstOffset)).toBe(decision);
        }
      }
    }),
    { numRuns: 300 },
  );
});
