import fc from "fast-check";
import { expect, test } from "vitest";
import { Valve } from "./valve.ts";

/** A beat a second, as the server sends them, until the valve says something. */
function beatUntil(valve: Valve, fromMs: number, verdict: string): number {
  for (let nowMs = fromMs; nowMs < fromMs + 60_000; nowMs += 1_000) {
    if (!valve.isShut) valve.beats(nowMs, nowMs);
    if (valve.judge(nowMs) === verdict) return nowMs;
  }
  return Number.NaN;
}

test("a page that answers each beat is never stopped, however much it is sent", () => {
  const valve = new Valve();
  for (let nowMs = 0; nowMs < 60_000; nowMs += 1_000) {
    valve.sends(10_000_000);
    valve.beats(nowMs, nowMs);
    expect(valve.judge(nowMs)).toBe("well");
    expect(valve.answers(nowMs)).toBe(false);
    expect(valve.isShut).toBe(false);
  }
});

test("without an answer readings stop after more than 2 s, and the page is disconnected after more than 30 s", () => {
  const valve = new Valve();
  expect(beatUntil(valve, 0, "shut")).toBe(3_000);
  expect(beatUntil(valve, 4_000, "hang-up")).toBe(31_000);
});

test("with more than 256 kB unanswered for about a second readings stop at once", () => {
  const valve = new Valve();
  valve.beats(0, 0);
  valve.sends(256 * 1024 + 1);
  expect(valve.judge(0)).toBe("well");
  expect(valve.isShut).toBe(true);
  expect(valve.judge(1_000)).toBe("shut");
});

test("the flow continues with the answer to the newest beat, once, and not with an older one", () => {
  const valve = new Valve();
  for (const nowMs of [0, 1_000, 2_000, 3_000]) valve.beats(nowMs, nowMs);
  expect(valve.judge(3_000)).toBe("shut");
  expect(valve.answers(1_000)).toBe(false);
  expect(valve.isShut).toBe(true);
  expect(valve.answers(3_000)).toBe(true);
  expect(valve.answers(3_000)).toBe(false);
  expect(valve.isShut).toBe(false);
  expect(valve.judge(60_000)).toBe("well");
});

test("alerts stop too for a page with 512 kB unanswered, and that is remembered until it is mended", () => {
  const valve = new Valve();
  expect(beatUntil(valve, 0, "shut")).toBe(3_000);
  valve.sends(100_000);
  expect(valve.judge(4_000)).toBe("well");
  valve.sends(500_000);
  expect(valve.judge(5_000)).toBe("mute");
  expect(valve.judge(6_000)).toBe("well");
  expect(valve.answers(3_000)).toBe(true);
  expect([valve.takeMuted(), valve.takeMuted()]).toEqual([true, false]);
});

test("answers to what was never sent change nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (tokens) => {
      const valve = new Valve();
      valve.beats(1_000_000.5, 0);
      for (const token of tokens) expect(valve.answers(token)).toBe(token === 1_000_000.5 && valve.isShut);
      expect(valve.judge(2_001)).toBe("shut");
    }),
  );
});
