import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "./fixtures/manual-clock.ts";
import { Pacer } from "./pacer.ts";

function pacer() {
  const clock = new ManualClock(0);
  const sent: [room: string, atMs: number][] = [];
  return { clock, sent, pacer: new Pacer(clock, 100, (room) => sent.push([room, clock.now()])) };
}

test("after a silence news goes out at once, further news on the next tick, all of a tick together", () => {
  const { clock, sent, pacer: it } = pacer();
  it.mark("a");
  it.mark("a");
  clock.advance(0);
  clock.advance(30);
  it.mark("a");
  it.mark("b");
  clock.advance(50);
  it.mark("a");
  clock.advance(500);
  it.mark("a");
  clock.advance(0);
  expect(sent).toEqual([
    ["a", 0],
    ["b", 30],
    ["a", 100],
    ["a", 580],
  ]);
});

test("no room is told more than ten times a second, and no news waits longer than a tick", () => {
  const step = fc.record({ waitMs: fc.nat({ max: 150 }), room: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const { clock, sent, pacer: it } = pacer();
      const marks: [room: string, atMs: number][] = [];
      for (const { waitMs, room } of steps) {
        it.mark(room);
        marks.push([room, clock.now()]);
        clock.advance(waitMs);
      }
      clock.advance(1_000);
      for (const [room, atMs] of marks) {
        const times = sent.filter(([one]) => one === room).map(([, time]) => time);
        expect(times.some((time) => time >= atMs && time <= atMs + 100)).toBe(true);
        times.reduce((before, time) => {
          expect(time - before).toBeGreaterThanOrEqual(100);
          return time;
        }, Number.NEGATIVE_INFINITY);
      }
    }),
  );
});

test("what is sent before its time is not sent again", () => {
  const { clock, sent, pacer: it } = pacer();
  it.mark("a");
  it.flushNow("a");
  it.flushNow("b");
  clock.advance(1_000);
  expect(sent).toEqual([["a", 0]]);
});
