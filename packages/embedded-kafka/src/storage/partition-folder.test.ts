/** A partition in a folder: against a plain list of records through any number of restarts; tails cut at every byte. */
import * as fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LogConfig } from "../log/log-config.ts";
import { PartitionLog } from "../log/partition-log.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { isIntact } from "../records/batch.ts";
import { buildBatch, type NewBatch } from "../records/record.ts";
import { TemporaryFolder } from "../testing/temporary-folder.ts";
import { FilePool } from "./file-pool.ts";
import { PartitionFolder } from "./partition-folder.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const SECOND_MS = 1000;
const config: LogConfig = {
  deletes: true,
  compacts: true,
  deleteRetentionMs: 10 * SECOND_MS,
  minCompactionLagMs: 0,
  minCleanableDirtyRatio: 0,
  retentionMs: -1,
  retentionBytes: -1,
  segmentBytes: 1 << 20,
  segmentMs: 1e12,
  maxMessageBytes: 1 << 20,
  logAppendTime: false,
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
};

/** One partition that may be opened again and again; its log's start is kept as the journal would. */
class Kept {
  readonly path: string;
  readonly config: LogConfig;
  readonly cuts: number[] = [];
  logStartOffset = 0;
  pool = new FilePool();
  log: PartitionLog;

  constructor(path: string, change: Partial<LogConfig> = {}) {
    this.path = path;
    this.config = { ...config, ...change };
    this.log = this.#open(NOW_MS);
  }

  #open(nowMs: number): PartitionLog {
    const { path, pool, logStartOffset } = this;
    const folder = new PartitionFolder({
      path,
      pool,
      logStartOffset,
      keepLogStart: (offset) => {
        this.logStartOffset = offset;
      },
      cut: (bytes) => this.cuts.push(bytes),
    });
    return new PartitionLog(() => this.config, nowMs, folder);
  }

  restart(nowMs = NOW_MS): void {
    this.pool.closeAll();
    this.pool = new FilePool();
    this.log = this.#open(nowMs);
  }

  append(records: readonly (readonly [key: string, value: string | null])[], rest: Partial<NewBatch> = {}) {
    const bytes = buildBatch({
      records: records.map(([key, value]) => ({
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
      })),
      baseTimestampMs: NOW_MS,
      ...rest,
    });
    const nowMs = rest.baseTimestampMs ?? NOW_MS;
    return this.log.append(bytes, { nowMs, leaderEpoch: 3, produceVersion: 9 });
  }

  shown(): string[] {
    return [...this.log.records()].map(({ offset, key, value }) => `${offset}:${key}=${value}`);
  }

  files(): string[] {
    return fs.readdirSync(this.path).sort();
  }
}

type Step =
  | { readonly do: "append"; readonly records: readonly (readonly [string, string | null])[] }
  | { readonly do: "delete"; readonly offset: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "compact" | "retain" | "restart" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      records: fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.option(fc.string({ maxLength: 8 }))), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), offset: fc.nat({ max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 15_000 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("compact", "retain", "restart") }) },
);

/** The record of each key that holds; tombstones may be gone. */
function latest(records: readonly string[]): string[] {
  const byKey = new Map(records.map((record) => [record.split(/[:=]/)[1], record]));
  return [...byKey.values()].filter((record) => !record.endsWith("=null")).sort();
}

test("whatever is done to it, a restart finds it as it was", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 600 }),
      fc.constantFrom(-1, 20_000),
      (steps, segmentBytes, retentionMs) => {
        using folder = new TemporaryFolder();
        const kept = new Kept(join(folder.path, "0"), { segmentBytes, retentionMs, retentionBytes: 1500 });
        let nowMs = NOW_MS;
        let model: string[] = [];
        let next = 0;
        let start = 0;
        for (const one of steps) {
          switch (one.do) {
            case "append":
              expect(kept.append(one.records, { baseTimestampMs: nowMs })).toMatchObject({
                baseOffset: next,
              });
              for (const [key, value] of one.records) model.push(`${next++}:${key}=${value}`);
              break;
            case "delete":
              if (one.offset > next) break;
              kept.log.deleteBefore(one.offset);
              start = Math.max(start, one.offset);
              break;
            case "wait":
              nowMs += one.ms;
              break;
            case "compact": {
              kept.log.compact(nowMs);
              const left = kept.shown();
              expect(left).toEqual(model.filter((record) => left.includes(record)));
              expect(latest(left)).toEqual(latest(model));
              model = left;
              break;
            }
            case "retain":
              kept.log.applyRetention(nowMs);
              break;
            case "restart":
              kept.restart(nowMs);
              break;
          }
          // Retention, also at a new segment, only moves the start.
          expect(kept.log.logStartOffset).toBeGreaterThanOrEqual(start);
          start = kept.log.logStartOffset;
          model = model.filter((record) => Number.parseInt(record, 10) >= start);
          expect(kept.shown()).toEqual(model);
          expect(kept.log.highWatermark).toBe(next);
          const { batches } = kept.log.read(start, 1e9, true);
          for (const bytes of batches) expect(isIntact(bytes)).toBe(true);
        }
        kept.restart(nowMs);
        expect(kept.shown()).toEqual(model);
        expect([kept.log.logStartOffset, kept.log.highWatermark, kept.cuts]).toEqual([start, next, []]);
        kept.pool.closeAll();
      },
    ),
    { numRuns: 200 },
  );
});

describe("a file that was cut", () => {
  test("at any byte keeps every batch before it, reports how much is lost, and continues", () => {
    using folder = new TemporaryFolder();
    const whole = new Kept(join(folder.path, "0"));
    for (const value of ["one", "two", "three", "four"])
      whole.append([
        ["k", value],
        ["l", value],
      ]);
    whole.pool.closeAll();
    const [name = ""] = whole.files();
    const bytes = fs.readFileSync(join(whole.path, name));
    const ends = [0, 1, 2, 3, 4].map((batch) => (bytes.length / 4) * batch);
    // "three" and "four" are longer than the others.
    const sizes = whole.log.read(0, 1e9, true).batches.map(({ length }) => length);
    sizes.reduce((end, size, index) => {
      ends[index + 1] = end + size;
      return end + size;
    }, 0);
    for (let cut = 0; cut <= bytes.length; cut++) {
      fs.writeFileSync(join(whole.path, name), bytes.subarray(0, cut));
      const kept = new Kept(whole.path);
      const left = ends.filter((end) => end > 0 && end <= cut).length;
      expect(kept.log.highWatermark).toBe(2 * left);
      const torn = cut - (ends[left] ?? 0);
      expect(kept.cuts).toEqual(torn === 0 ? [] : [torn]);
      expect(kept.append([["k", "next"]])).toMatchObject({ baseOffset: 2 * left });
      kept.restart();
      expect(kept.shown().at(-1)).toBe(`${2 * left}:k=next`);
      expect(kept.cuts).toHaveLength(torn === 0 ? 0 : 1);
      kept.pool.closeAll();
    }
  });

  test("or changed, in any byte that is checked, ends before that batch, with the segments behind it", () => {
    using folder = new TemporaryFolder();
    const whole = new Kept(join(folder.path, "0"), { segmentBytes: 200 });
    for (let i = 0; i < 6; i++) whole.append([["k", `${i}`.repeat(20)]]);
    whole.pool.closeAll();
    const names = whole.files();
    expect(names.length).toBe(3);
    const path = join(whole.path, names[1] ?? "");
    const bytes = fs.readFileSync(path);
    const others = names.map((name) => [name, fs.readFileSync(join(whole.path, name))] as const);
    // Behind base offset and leader epoch, which the broker writes and the checksum leaves out.
    for (let at = 16; at < bytes.length / 2; at++) {
      for (const [name, content] of others) fs.writeFileSync(join(whole.path, name), content);
      const wrong = Buffer.from(bytes);
      wrong[at] = (wrong[at] ?? 0) ^ 0x10;
      fs.writeFileSync(path, wrong);
      const kept = new Kept(whole.path, { segmentBytes: 200 });
      expect(kept.log.highWatermark).toBe(2);
      expect(kept.files()).toHaveLength(2);
      expect(kept.cuts.reduce((sum, cut) => sum + cut, 0)).toBe(2 * bytes.length);
      kept.pool.closeAll();
    }
  });
});

describe("a compaction that was interrupted", () => {
  function compacted(folder: string): Kept {
    const kept = new Kept(folder, { segmentBytes: 150 });
    for (const value of ["1", "2", "3", "4"])
      kept.append([
        ["k", value.repeat(40)],
        [value, value],
      ]);
    return kept;
  }

  test("before it was whole leaves the segments as they were", () => {
    using folder = new TemporaryFolder();
    const kept = compacted(folder.path);
    const before = kept.shown();
    fs.writeFileSync(join(folder.path, `${"0".repeat(20)}.cleaned`), "half of a segm");
    kept.restart();
    expect(kept.shown()).toEqual(before);
    expect(kept.files().filter((name) => !name.endsWith(".log"))).toEqual([]);
    kept.pool.closeAll();
  });

  test("after that is finished by the next start, however far it got", () => {
    using folder = new TemporaryFolder();
    const kept = compacted(folder.path);
    const old = kept.files();
    using before = folder.copy();
    kept.log.compact(NOW_MS);
    const after = kept.shown();
    kept.pool.closeAll();
    const [first = "", second = ""] = kept.files();
    const end = second.replace(".log", "");
    const merged = old.indexOf(second);
    expect(merged).toBeGreaterThan(1);
    // The merged segment under the name of its way in, and the first n of those that it replaces gone.
    for (let gone = 0; gone <= merged; gone++) {
      using half = before.copy();
      fs.copyFileSync(join(folder.path, first), join(half.path, first.replace(".log", `-${end}.swap`)));
      for (const name of old.slice(0, gone)) fs.rmSync(join(half.path, name));
      const resumed = new Kept(half.path, { segmentBytes: 150 });
      resumed.log.compact(NOW_MS);
      expect(resumed.shown()).toEqual(after);
      expect(resumed.cuts).toEqual([]);
      expect(resumed.files().every((name) => name.endsWith(".log"))).toBe(true);
      resumed.pool.closeAll();
    }
  });
});

test("more segments than files may be open are written and read all the same", () => {
  using folder = new TemporaryFolder();
  const kept = new Kept(folder.path, { segmentBytes: 1, compacts: false });
  for (let i = 0; i < 600; i++) kept.append([["k", `${i}`]]);
  expect(kept.files()).toHaveLength(600);
  expect(kept.shown()).toHaveLength(600);
  kept.restart();
  expect(kept.shown().at(300)).toBe("300:k=300");
  kept.pool.closeAll();
});

test.runIf(process.platform === "linux")("a disk that is full is told, and nothing is half there", () => {
  using folder = new TemporaryFolder();
  const kept = new Kept(folder.path);
  kept.append([["k", "1"]]);
  kept.pool.closeAll();
  const [name = ""] = kept.files();
  const path = join(folder.path, name);
  const bytes = fs.readFileSync(path);
  // A device that takes nothing more.
  fs.rmSync(path);
  fs.symlinkSync("/dev/full", path);
  expect(kept.append([["k", "2"]])).toMatchObject({ errorCode: errorCode.kafkaStorageError });
  expect(kept.log.highWatermark).toBe(1);
  kept.pool.closeAll();
  fs.rmSync(path);
  fs.writeFileSync(path, bytes);
  expect(kept.append([["k", "3"]])).toMatchObject({ baseOffset: 1 });
  kept.restart();
  expect(kept.shown()).toEqual(["0:k=1", "1:k=3"]);
  kept.pool.closeAll();
});
