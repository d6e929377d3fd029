import { expect, test } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

test("timers fire in the order of their due times, each at its own instant", () => {
  const clock = new VirtualClock(1000);
  const fired: [string, number][] = [];
  clock.setTimer(30, () => fired.push(["c", clock.now()]));
  clock.setTimer(10, () => {
    fired.push(["a", clock.now()]);
    clock.setTimer(5, () => fired.push(["b", clock.now()]));
  });
  clock.setTimer(30, () => fired.push(["d", clock.now()]));
  clock.advance(29);
  expect(fired).toEqual([
    ["a", 1010],
    ["b", 1015],
  ]);
  clock.advance(1);
  expect(fired.slice(2)).toEqual([
    ["c", 1030],
    ["d", 1030],
  ]);
  expect(clock.now()).toBe(1030);
  expect(clock.timers).toBe(0);
});

test("a cancelled timer does not fire, not even when it is due in the same step", () => {
  const clock = new VirtualClock();
  let fired = false;
  const later = clock.setTimer(20, () => {
    fired = true;
  });
  clock.setTimer(10, () => later.cancel());
  clock.advance(100);
  expect(fired).toBe(false);
});
