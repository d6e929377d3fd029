/** A partition against a plain list of records, and what becomes of old ones. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { readHeader } from "../records/batch.ts";
import { buildBatch, type NewBatch, readRecords } from "../records/record.ts";
import type { LogConfig } from "./log-config.ts";
import { PartitionLog } from "./partition-log.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const config: LogConfig = {
  deletes: true,
  compacts: false,
  deleteRetentionMs: 86_400_000,
  minCompactionLagMs: 0,
  minCleanableDirtyRatio: 0.5,
  retentionMs: -1,
  retentionBytes: -1,
  segmentBytes: 1 << 30,
  segmentMs: 1e12,
  maxMessageBytes: 1 << 20,
  logAppendTime: false,
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: 3_600_000,
};

function logWith(change: Partial<LogConfig> = {}): PartitionLog {
  return new PartitionLog(() => ({ ...config, ...change }), NOW_MS);
}

function batch(values: readonly string[], rest: Partial<NewBatch> = {}): Buffer {
  return buildBatch({
    records: values.map((value) => ({ value: Buffer.from(value) })),
    baseTimestampMs: NOW_MS,
    ...rest,
  });
}

function append(log: PartitionLog, bytes: Buffer, nowMs = NOW_MS) {
  return log.append(bytes, { nowMs, leaderEpoch: 0, produceVersion: 9 });
}

const values = (batches: readonly Buffer[]) =>
  batches.flatMap((bytes) => [...readRecords(bytes)].map(({ value }) => String(value)));

describe("a partition is a list of records", () => {
  type Step =
    | { readonly do: "append"; readonly values: readonly string[]; readonly timestampMs: number }
    | { readonly do: "delete"; readonly offset: number }
    | { readonly do: "read"; readonly offset: number; readonly maxBytes: number }
    | { readonly do: "look up"; readonly timestampMs: number };
  const time = fc.integer({ min: 0, max: 50 }).map((ms) => NOW_MS + ms);
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      do: fc.constant("append" as const),
      values: fc.array(fc.string(), { minLength: 1, maxLength: 5 }),
      timestampMs: time,
    }),
    fc.record({ do: fc.constant("delete" as const), offset: fc.nat({ max: 60 }) }),
    fc.record({
      do: fc.constant("read" as const),
      offset: fc.nat({ max: 60 }),
      maxBytes: fc.nat({ max: 600 }),
    }),
    fc.record({ do: fc.constant("look up" as const), timestampMs: time }),
  );

  test("whatever is done, in segments of any size", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 1000 }),
        (steps, segmentBytes) => {
          const log = logWith({ segmentBytes });
          const model: { value: string; timestampMs: number; firstOfBatch: number }[] = [];
          let start = 0;
          for (const one of steps) {
            switch (one.do) {
              case "append": {
                const firstOfBatch = model.length;
                expect(append(log, batch(one.values, { baseTimestampMs: one.timestampMs }))).toMatchObject({
                  errorCode: 0,
                  baseOffset: firstOfBatch,
                });
                model.push(
                  ...one.values.map((value) => ({ value, timestampMs: one.timestampMs, firstOfBatch })),
                );
                break;
              }
              case "delete":
                if (one.offset <= model.length) start = Math.max(start, one.offset);
                if (one.offset <= model.length) log.deleteBefore(one.offset);
                break;
              case "read": {
                if (one.offset < start || one.offset > model.length) break;
                const read = log.read(one.offset, one.maxBytes, true);
                const expected = model.slice(model[one.offset]?.firstOfBatch ?? model.length);
                const found = values(read.batches);
                expect(found).toEqual(expected.slice(0, found.length).map(({ value }) => value));
                if (expected.length > 0) expect(read.batches.length).toBeGreaterThan(0);
                if (read.batches.length > 1) expect(read.bytes).toBeLessThanOrEqual(one.maxBytes);
                break;
              }
              case "look up": {
                const offset = model.findIndex(
                  (r, index) => index >= start && r.timestampMs >= one.timestampMs,
                );
                expect(log.firstAtOrAfter(one.timestampMs)?.offset ?? -1).toBe(offset);
                break;
              }
            }
            expect([log.logStartOffset, log.highWatermark]).toEqual([start, model.length]);
            expect([...log.records()].map(({ value }) => String(value))).toEqual(
              model.slice(start).map(({ value }) => value),
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("a batch is patched where the broker may, and otherwise kept as it came", () => {
  const log = logWith();
  append(log, batch(["a", "b"]));
  const sent = batch(["c"]);
  const before = Buffer.from(sent);
  log.append(sent, { nowMs: NOW_MS, leaderEpoch: 7, produceVersion: 9 });
  const [stored] = log.read(2, 1000, true).batches;
  if (stored === undefined) expect.unreachable("the batch is gone");
  expect(readHeader(stored)).toMatchObject({ baseOffset: 2, leaderEpoch: 7 });
  expect(stored.subarray(16)).toEqual(before.subarray(16));
});

test("a small batch does not keep the whole request in memory", () => {
  const request = Buffer.alloc(1 << 20);
  const small = batch(["a"]);
  small.copy(request, 1000);
  const log = logWith();
  append(log, request.subarray(1000, 1000 + small.length));
  expect(log.read(0, 1000, true).batches[0]?.buffer.byteLength).toBeLessThan(request.length);
});

test("records that can't be read are found by their batch's header", () => {
  const log = logWith();
  append(log, batch(["a"]));
  const garbage = { attributes: 1, compress: () => Buffer.from("no gzip"), baseTimestampMs: NOW_MS + 10 };
  expect(append(log, batch(["b", "c"], garbage))).toMatchObject({ errorCode: 0, baseOffset: 1 });
  expect(log.firstAtOrAfter(NOW_MS + 1)).toEqual({ offset: 1, timestampMs: NOW_MS + 10 });
  expect(log.withMaxTimestamp()).toEqual({ offset: 1, timestampMs: NOW_MS + 10 });
  log.deleteBefore(2);
  expect(log.firstAtOrAfter(NOW_MS + 1)).toEqual({ offset: 2, timestampMs: NOW_MS + 10 });
});

test("zstd needs Produce 7", () => {
  const log = logWith();
  const zstd = batch(["a"], { attributes: 4 });
  expect(log.append(zstd, { nowMs: NOW_MS, leaderEpoch: 0, produceVersion: 6 })).toMatchObject({
    errorCode: errorCode.unsupportedCompressionType,
  });
});

describe("retention", () => {
  const HOUR_MS = 3_600_000;

  test("by time drops whole segments, the active one too when all of it is too old", () => {
    const log = logWith({ retentionMs: HOUR_MS, segmentBytes: 150 });
    for (const minutes of [0, 10, 20, 30]) {
      append(
        log,
        batch([`${minutes}`], { baseTimestampMs: NOW_MS + minutes * 60_000 }),
        NOW_MS + minutes * 60_000,
      );
    }
    expect(log.segmentCount).toBe(2);
    log.applyRetention(NOW_MS + 60 * 60_000);
    expect(log.logStartOffset).toBe(0);
    // The first segment's newest record is of minute 10.
    log.applyRetention(NOW_MS + 71 * 60_000);
    expect(log.logStartOffset).toBe(2);
    log.applyRetention(NOW_MS + 91 * 60_000);
    expect([log.logStartOffset, log.highWatermark, log.bytes]).toEqual([4, 4, 0]);
    expect(append(log, batch(["next"]))).toMatchObject({ baseOffset: 4 });
    expect(values(log.read(4, 1000, true).batches)).toEqual(["next"]);
  });

  test("by size keeps at least as much as the limit, at every new segment", () => {
    const size = batch(["x".repeat(100)]).length;
    const log = logWith({ retentionBytes: 5 * size, segmentBytes: 2 * size });
    for (let i = 0; i < 100; i++) append(log, batch(["x".repeat(100)]));
    expect(log.bytes).toBeGreaterThanOrEqual(5 * size);
    expect(log.bytes).toBeLessThanOrEqual(8 * size);
    expect(log.highWatermark).toBe(100);
    expect(log.logStartOffset).toBe(100 - log.batchCount);
  });

  test("does nothing to a topic that is only compacted", () => {
    const log = logWith({ retentionMs: 1, deletes: false });
    append(log, batch(["a"]));
    log.applyRetention(NOW_MS + HOUR_MS);
    expect(log.logStartOffset).toBe(0);
  });

  test("a segment that is too old is closed by the next record", () => {
    const log = logWith({ segmentMs: HOUR_MS });
    append(log, batch(["a"]));
    append(log, batch(["b"]), NOW_MS + HOUR_MS);
    expect(log.segmentCount).toBe(1);
    append(log, batch(["c"]), NOW_MS + HOUR_MS + 1);
    expect(log.segmentCount).toBe(2);
  });
});

test("readers that wait are woken by records and by the start's moving, until they stop waiting", () => {
  const log = logWith();
  let woken = 0;
  const stop = log.onChange(() => {
    woken += 1;
  });
  append(log, batch(["a"]));
  log.deleteBefore(1);
  expect([woken, log.waiting]).toEqual([2, 1]);
  stop();
  append(log, batch(["b"]));
  expect([woken, log.waiting]).toEqual([2, 0]);
});

describe("idempotent producers", () => {
  const from = (baseSequence: number, rest: Partial<NewBatch> = {}) =>
    batch(["v"], { producerId: 7, producerEpoch: 0, baseSequence, ...rest });

  test("are forgotten after their time, and may then begin anywhere", () => {
    const log = logWith();
    append(log, from(0));
    expect(append(log, from(5))).toMatchObject({ errorCode: errorCode.outOfOrderSequence });
    log.producers.expire(NOW_MS);
    expect(append(log, from(5))).toMatchObject({ errorCode: errorCode.outOfOrderSequence });
    log.producers.expire(NOW_MS + 1);
    expect(log.producers.size).toBe(0);
    expect(append(log, from(5))).toMatchObject({ errorCode: 0, baseOffset: 1 });
  });

  test("a repeat is answered with the time it was first given", () => {
    const log = logWith({ logAppendTime: true });
    append(log, from(0), NOW_MS);
    expect(append(log, from(0), NOW_MS + 500)).toEqual({
      errorCode: 0,
      baseOffset: 0,
      logAppendTimeMs: NOW_MS,
    });
  });

  test("any order of sends and repeats leaves each record once, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 12 }), { maxLength: 60 }), (sends) => {
        const log = logWith();
        let next = 0;
        /** The sequence that the producer began with. */
        let first = 0;
        for (const sequence of sends) {
          const result = append(log, from(sequence));
          const isNext = sequence === next || next === 0;
          const isRecent = next > 0 && sequence < next && sequence >= next - 5 && sequence >= first;
          if (isNext && next === 0) first = sequence;
          expect(result.errorCode).toBe(isNext || isRecent ? 0 : errorCode.outOfOrderSequence);
          if (isNext) next = sequence + 1;
        }
        const kept = [...log.records()].length;
        expect(kept).toBe(next === 0 ? 0 : next - first);
      }),
      { numRuns: 500 },
    );
  });
});
