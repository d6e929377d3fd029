import type { FleetDevice } from "@kelvin/schema/live";
import { expect, test } from "vitest";
import { NOW } from "./fixtures.ts";
import { Ranking, RECOVERED_MS } from "./ranking.ts";

function device(id: string, change: Partial<FleetDevice> = {}): FleetDevice {
  const quiet = { inAlarm: false, stale: false, ahead: false };
  return { id, celsius: 20, change: 0, intervalMs: 1_000, eventMs: NOW, heardMs: NOW, ...quiet, ...change };
}

/** `a..d` of which these are in alarm, at so many milliseconds from now. */
function order(ranking: Ranking, inAlarm: string, afterMs = 0, mayMove = true): string {
  const devices = [..."abcd"].map((id) => device(id, { inAlarm: inAlarm.includes(id) }));
  return ranking
    .order(devices, NOW + afterMs, mayMove)
    .devices.map(({ id }) => id)
    .join("");
}

test("worst first, by name among equals", () => {
  const devices = [
    device("ok"),
    device("b", { stale: true }),
    device("ahead", { ahead: true }),
    device("a", { stale: true }),
    device("hot", { inAlarm: true }),
    device("hot and silent", { inAlarm: true, stale: true }),
  ];
  const { devices: ranked, isHeld } = new Ranking().order(devices, NOW, true);
  expect(ranked.map(({ id }) => id)).toEqual(["hot and silent", "hot", "a", "b", "ahead", "ok"]);
  expect(isHeld).toBe(false);
});

test("who gets worse moves up at once; who gets better moves down only when it stays so", () => {
  const ranking = new Ranking();
  expect(order(ranking, "")).toBe("abcd");
  expect(order(ranking, "d")).toBe("dabc");
  expect(order(ranking, "", 1_000)).toBe("dabc");
  expect(order(ranking, "", 999 + RECOVERED_MS)).toBe("dabc");
  expect(order(ranking, "", 1_000 + RECOVERED_MS)).toBe("abcd");
});

test("machines that swing about the limit keep their places from the first wave on", () => {
  const ranking = new Ranking();
  order(ranking, "b");
  order(ranking, "bd", 10_000);
  const orders = Array.from({ length: 40 }, (_, i) =>
    order(ranking, i % 2 === 0 ? "b" : "d", 20_000 + i * 10_000),
  );
  expect(new Set(orders)).toEqual(new Set(["bdac"]));
});

test("while somebody is in the list no row moves, and it is said that some would", () => {
  const ranking = new Ranking();
  order(ranking, "");
  expect(order(ranking, "c", 1_000, false)).toBe("abcd");
  const devices = [device("new", { inAlarm: true }), device("c", { inAlarm: true }), device("a")];
  const held = ranking.order(devices, NOW + 2_000, false);
  expect(held.devices.map(({ id }) => id)).toEqual(["a", "c", "new"]);
  expect(held.isHeld).toBe(true);
  expect(order(ranking, "c", 3_000)).toBe("cabd");
});
