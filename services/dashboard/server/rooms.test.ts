import { type Batch, eventTimes, isBatch, isSnapshot, type Snapshot } from "@kelvin/schema/live";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "./fixtures/manual-clock.ts";
import { type News, Rooms } from "./rooms.ts";
import { LiveState } from "./state.ts";

const limits = { maxAgeMs: 110_000, maxReadings: 80, maxReadingsInAll: 1e6, maxDevices: 3 };

function server() {
  const clock = new ManualClock();
  const state = new LiveState(clock, limits);
  state.catchUpDone();
  const rooms = new Rooms({ boot: "boot-1", state, clock, windowMs: 100_000 });
  let offset = 0;
  const hear = (device: string, celsius: number) => {
    const timestamp = new Date(clock.now()).toISOString();
    state.reading(
      { device_id: device, temperature: celsius, timestamp },
      { partition: 0, offset: offset++, eventMs: clock.now() },
    );
  };
  return { clock, state, rooms, hear };
}

/** The least that a page has to do to follow the contract. */
class Page {
  next = 0;
  celsius: number[] = [];
  missed = false;

  take(news: News | undefined): void {
    if (news?.event === "snapshot") this.#snapshot(news.data);
    else if (news?.event === "batch") this.#batch(news.data);
  }

  #snapshot(snapshot: Snapshot): void {
    expect(isSnapshot(snapshot)).toBe(true);
    this.next = snapshot.next;
    this.celsius = [...snapshot.readings.celsius];
  }

  #batch(batch: Batch): void {
    expect(isBatch(batch)).toBe(true);
    const end = batch.first + batch.readings.celsius.length;
    if (batch.first > this.next) this.missed = true;
    this.celsius.push(...batch.readings.celsius.slice(Math.max(0, this.next - batch.first)));
    this.next = Math.max(this.next, end);
  }
}

test("a page has every reading once and in order, whenever it joins, leaves, or comes back with what it has", () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("hear"),
        device: fc.constantFrom("a", "b", "c", "d"),
        times: fc.nat(40),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("flush"), waitMs: fc.nat(30_000) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom("join", "leave", "comeBack", "comeBackElsewhere"),
        page: fc.nat(2),
      }),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { clock, state, rooms, hear } = server();
      const pages = [new Page(), new Page(), new Page()];
      const inside = new Set<Page>();
      let celsius = 0;
      const flush = () => {
        const news = rooms.news("a");
        for (const page of inside) page.take(news);
      };
      for (const one of steps) {
        if ("times" in one) for (let i = 0; i < one.times; i++) hear(one.device, celsius++);
        else if ("waitMs" in one) {
          flush();
          clock.advance(one.waitMs);
        } else {
          const page = pages[one.page] ?? new Page();
          if (one.do === "leave") {
            inside.delete(page);
            if (inside.size === 0) rooms.forget("a");
          } else {
            const have = { boot: one.do === "comeBack" ? "boot-1" : "boot-0", next: page.next };
            page.take(rooms.welcome("a", { have: one.do === "join" ? null : have, spanMs: null }));
            inside.add(page);
          }
        }
      }
      flush();
      const kept = state.devices.get("a")?.ring.from(0).celsius ?? [];
      for (const page of inside) {
        expect(page.missed).toBe(false);
        expect(page.celsius.slice(page.celsius.length - kept.length)).toEqual(kept);
        expect(page.next).toBe(state.devices.get("a")?.ring.next ?? 0);
      }
    }),
    { numRuns: 500 },
  );
});

test("who came between a device's first reading and its being forgotten among many hears of the latter", () => {
  const { rooms, hear } = server();
  rooms.welcome("a", { have: null, spanMs: null });
  hear("a", 20);
  expect(rooms.welcome("a", { have: null, spanMs: null }).data).toMatchObject({ known: true, next: 1 });
  for (const other of ["b", "c", "d"]) hear(other, 20);
  expect(rooms.news("a")).toMatchObject({ event: "snapshot", data: { known: false, next: 0 } });
  expect(rooms.news("a")).toBeUndefined();
});

test("who comes back with a position of this boot gets the difference only", () => {
  const { rooms, hear } = server();
  for (let i = 0; i < 10; i++) hear("a", i);
  expect(rooms.welcome("a", { have: { boot: "boot-1", next: 7 }, spanMs: null })).toMatchObject({
    event: "batch",
    data: { first: 7, readings: { celsius: [7, 8, 9] } },
  });
  expect(rooms.welcome("a", { have: { boot: "boot-0", next: 7 }, spanMs: null })).toMatchObject({
    event: "snapshot",
    data: { next: 10 },
  });
  expect(rooms.welcome("a", { have: { boot: "boot-1", next: 11 }, spanMs: null }).event).toBe("snapshot");
});

test("a device never heard has an empty snapshot, and a full one when it speaks", () => {
  const { rooms, hear } = server();
  expect(rooms.welcome("a", { have: null, spanMs: null }).data).toMatchObject({
    known: false,
    next: 0,
    last: null,
    intervalMs: null,
  });
  expect(rooms.news("a")).toBeUndefined();
  hear("a", 21);
  expect(rooms.news("a")).toMatchObject({ event: "snapshot", data: { known: true, last: { celsius: 21 } } });
  hear("a", 22);
  expect(rooms.news("a")).toMatchObject({
    event: "batch",
    data: { readings: { celsius: [22] }, kpis: null },
  });
});

test("a snapshot holds what came in during the last 110 s, with true event times", () => {
  const { clock, rooms, hear } = server();
  const startMs = clock.now();
  for (let i = 0; i < 50; i++) {
    hear("a", i);
    clock.advance(5_000);
  }
  const news = rooms.welcome("a", { have: null, spanMs: null });
  expect(eventTimes(news.data.readings)).toEqual(
    Array.from({ length: 22 }, (_, i) => startMs + (28 + i) * 5_000),
  );
  expect(news).toMatchObject({ event: "snapshot", data: { truncated: false, intervalMs: 5_000 } });
});

test("tiles go along when one of them changed, and only then", () => {
  const { clock, state, rooms, hear } = server();
  hear("a", 20);
  rooms.welcome("a", { have: null, spanMs: null });
  const upToDate = { isRun: true, positions: new Map([[0, 0]]), ends: new Map([[0, 0]]) };
  state.pipelineSeen("average-temperature", upToDate);
  expect(rooms.news("a")?.data.kpis?.map(({ state: tile }) => tile)).toEqual(["unknown", "empty"]);
  expect(rooms.news("a")).toBeUndefined();
  state.kpi(
    {
      name: "average_temperature",
      device_id: "a",
      value: 20,
      unit: "celsius",
      window_seconds: 10,
      window_start: new Date(clock.now() - 10_000).toISOString(),
      window_end: new Date(clock.now()).toISOString(),
    },
    0,
  );
  expect(rooms.news("a")?.data.kpis?.[1]).toMatchObject({ state: "value", value: 20 });
  clock.advance(15_001);
  expect(rooms.news("a")?.data.kpis?.[1]).toMatchObject({ state: "empty", value: null });
});
