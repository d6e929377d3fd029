import type { Log } from "@kelvin/service-kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "./manual-clock.test-support.ts";
import { Outbox } from "./outbox.ts";

class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly retriable: boolean;
  constructor(retriable: boolean) {
    super(retriable ? "not now" : "never");
    this.retriable = retriable;
  }
}

/** A Kafka that can be away. */
function setUp(capacity = 100) {
  const clock = new ManualClock(0);
  const lines: string[] = [];
  const write = (_: object, message: string) => void lines.push(message);
  const log: Log = { debug: write, info: write, warn: write, error: write, fatal: write, child: () => log };
  const kafka = { isAway: false, refuses: (_: number) => false, taken: [] as number[] };
  const outbox = new Outbox<number>({
    capacity,
    clock,
    log,
    send: async (value) => {
      await Promise.resolve();
      if (kafka.refuses(value)) throw new RefusedError(false);
      if (kafka.isAway) throw new RefusedError(true);
      kafka.taken.push(value);
    },
  });
  return { clock, lines, kafka, outbox };
}

describe("an outbox", () => {
  test("sends what it is offered, in order, once", async () => {
    const { clock, kafka, outbox } = setUp(10_000);
    const values = Array.from({ length: 5000 }, (_, index) => index);
    for (const value of values) outbox.offer(value);
    while (outbox.size > 0) await clock.advance(0);
    expect(kafka.taken).toEqual(values);
    expect(outbox.dropped).toBe(0);
  });

  test("keeps what Kafka did not take, and sends it in order when it is back", async () => {
    const { clock, kafka, outbox, lines } = setUp();
    kafka.isAway = true;
    for (const value of [1, 2, 3]) outbox.offer(value);
    await clock.advance(30_000);
    expect([kafka.taken, outbox.size]).toEqual([[], 3]);
    kafka.isAway = false;
    outbox.offer(4);
    await clock.advance(2000);
    expect([kafka.taken, outbox.size]).toEqual([[1, 2, 3, 4], 0]);
    expect(lines).toEqual(["readings can't be sent; buffering them", "sending readings again"]);
  });

  test("drops the oldest beyond its capacity, and says how many", async () => {
    const { clock, kafka, outbox, lines } = setUp(10);
    kafka.isAway = true;
    for (let value = 1; value <= 25; value++) {
      outbox.offer(value);
      await clock.advance(1500);
    }
    expect(outbox.size).toBe(10);
    kafka.isAway = false;
    await clock.advance(2000);
    expect(kafka.taken).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    expect(outbox.dropped).toBe(15);
    expect(lines.filter((line) => line.startsWith("the buffer is full")).length).toBeGreaterThan(0);
  });

  test("loses nothing but the oldest, and never changes the order, however Kafka comes and goes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ away: fc.boolean(), offers: fc.nat({ max: 30 }) })),
        async (phases) => {
          const { clock, kafka, outbox } = setUp(20);
          let next = 0;
          for (const { away, offers } of phases) {
            kafka.isAway = away;
            for (let count = 0; count < offers; count++) outbox.offer(next++);
            await clock.advance(300);
            expect(outbox.size).toBeLessThanOrEqual(20);
          }
          kafka.isAway = false;
          await clock.advance(3000);
          expect(kafka.taken).toEqual(kafka.taken.toSorted((a, b) => a - b));
          expect(new Set(kafka.taken).size).toBe(kafka.taken.length);
          expect(kafka.taken.length + outbox.dropped).toBe(next);
          expect(kafka.taken.at(-1) ?? -1).toBe(next - 1);
        },
      ),
    );
  });

  test("fails when Kafka refuses permanently", async () => {
    const { clock, kafka, outbox } = setUp();
    kafka.refuses = (value) => value === 2;
    for (const value of [1, 2]) outbox.offer(value);
    await clock.advance(0);
    await expect(outbox.failed).rejects.toThrow("never");
  });

  test("is empty when all is acknowledged, and not before", async () => {
    const { clock, kafka, outbox } = setUp();
    kafka.isAway = true;
    outbox.offer(1);
    let isEmpty = false;
    void outbox.emptied().then(() => {
      isEmpty = true;
    });
    await clock.advance(5000);
    expect(isEmpty).toBe(false);
    kafka.isAway = false;
    await clock.advance(1000);
    expect(isEmpty).toBe(true);
    await outbox.emptied();
  });

  test("stops waiting when it is told to give up", async () => {
    const { clock, kafka, outbox } = setUp();
    kafka.isAway = true;
    outbox.offer(1);
    await clock.advance(0);
    const giveUp = new AbortController();
    const emptied = outbox.emptied(giveUp.signal);
    giveUp.abort();
    await emptied;
    expect(outbox.size).toBe(1);
  });
});
