import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "./fixtures/manual-clock.ts";
import { BURST, Pacer } from "./pacer.ts";

function pacer(hasNews = () => true) {
  const clock = new ManualClock(0);
  const sent: [room: string, atMs: number][] = [];
  const flush = (room: string) => {
    if (hasNews()) sent.push([room, clock.now()]);
    return hasNews();
  };
  return { clock, sent, pacer: new Pacer(clock, 100, flush) };
}

test("little news goes out at once, much news in batches, each with all that came before it", () => {
  const { clock, sent, pacer: it } = pacer();
  for (let i = 0; i < 10; i++) {
    it.mark("a");
    it.mark("a");
    if (i === 4) it.mark("b");
    clock.advance(50);
  }
  clock.advance(1_000);
  it.mark("a");
  clock.advance(0);
  expect(sent).toEqual([
    ["a", 0],
    ["a", 50],
    ["a", 100],
    ["a", 150],
    ["a", 200],
    ["b", 200],
    ["a", 300],
    ["a", 400],
    ["a", 500],
    ["a", 1_500],
  ]);
});

test("no room is told more than ten times a second after a burst, and no news waits longer than a tick", () => {
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
      for (const room of ["a", "b", "c"]) {
        const times = sent.filter(([one]) => one === room).map(([, time]) => time);
        for (const [from, first] of times.entries()) {
          for (const [to, last] of times.entries()) {
            if (to >= from) expect(to - from + 1).toBeLessThanOrEqual(BURST + (last - first) / 100);
          }
        }
        for (const [, atMs] of marks.filter(([one]) => one === room)) {
          expect(times.some((time) => time >= atMs && time <= atMs + 100)).toBe(true);
        }
      }
    }),
  );
});

test("a mark that turns out to be no news makes nobody wait", () => {
  let isNews = false;
  const { clock, sent, pacer: it } = pacer(() => isNews);
  for (let i = 0; i < 20; i++) {
    it.mark("a");
    clock.advance(10);
  }
  isNews = true;
  for (let i = 0; i < 3; i++) {
    it.mark("a");
    clock.advance(10);
  }
  expect(sent.map(([, atMs]) => atMs)).toEqual([200, 210, 220]);
});
