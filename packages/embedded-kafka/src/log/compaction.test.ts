/** Compacted partitions: what stays, against a plain list of records; tombstones, transactions, producers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { isIntact, readHeader } from "../records/batch.ts";
import { buildBatch, type NewBatch, type NewRecord, readRecords } from "../records/record.ts";
import { compressors } from "../testing/compressors.ts";
import type { LogConfig } from "./log-config.ts";
import { PartitionLog } from "./partition-log.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const config: LogConfig = {
  deletes: false,
  compacts: true,
  deleteRetentionMs: HOUR_MS,
  minCompactionLagMs: 0,
  minCleanableDirtyRatio: 0,
  retentionMs: -1,
  retentionBytes: -1,
  segmentBytes: 1,
  segmentMs: 1e12,
  maxMessageBytes: 1 << 20,
  logAppendTime: false,
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
};

/** With segments of one batch each, unless it is told otherwise. */
function logWith(change: Partial<LogConfig> = {}): PartitionLog {
  return new PartitionLog(() => ({ ...config, ...change }), NOW_MS);
}

/** `key=value`; `key` alone is a tombstone. */
function recordOf(text: string): NewRecord {
  const [key = "", value] = text.split("=");
  return { key: Buffer.from(key), value: value === undefined ? null : Buffer.from(value) };
}

function append(log: PartitionLog, records: string, rest: Partial<NewBatch> = {}): number {
  const all = records.split(" ").map(recordOf);
  const bytes = buildBatch({ records: all, baseTimestampMs: NOW_MS, ...rest });
  const result = log.append(bytes, { nowMs: NOW_MS, leaderEpoch: 0, produceVersion: 9 });
  expect(result.errorCode).toBe(0);
  return "baseOffset" in result ? result.baseOffset : -1;
}

/** `offset:key=value`, as a consumer at read_uncommitted sees them. */
function shown(log: PartitionLog): string[] {
  return [...log.records()].map(({ offset, key, value }) =>
    value === null ? `${offset}:${key}` : `${offset}:${key}=${value}`,
  );
}

/** Every batch that is stored, markers and empty ones too. */
function batches(log: PartitionLog): Buffer[] {
  return [...log.read(log.logStartOffset, 1e9, true).batches];
}

describe("keys", () => {
  test("the newest record of each stays at its offset, and the active segment as it is", () => {
    const log = logWith();
    append(log, "a=1 b=1");
    append(log, "a=2 c=1 a=3");
    append(log, "b=2");
    append(log, "a=4");
    log.compact(NOW_MS);
    expect(shown(log)).toEqual(["3:c=1", "4:a=3", "5:b=2", "6:a=4"]);
    expect([log.logStartOffset, log.highWatermark]).toEqual([0, 7]);
    // Asked for an offset that is gone, it gives the next.
    expect(readHeader(log.read(0, 1000, true).batches[0] ?? Buffer.alloc(61))).toMatchObject({
      baseOffset: 2,
      lastOffsetDelta: 2,
      count: 2,
    });
  });

  test("are what a compacted topic is about: a record without one is refused", () => {
    const log = logWith();
    const put = (batch: Partial<NewBatch> & Pick<NewBatch, "records">) =>
      log.append(buildBatch({ baseTimestampMs: NOW_MS, ...batch }), {
        nowMs: NOW_MS,
        leaderEpoch: 0,
        produceVersion: 9,
      });
    expect(put({ records: [recordOf("a=1"), { value: Buffer.from("b") }] })).toMatchObject({
      errorCode: errorCode.invalidRecord,
    });
    expect(log.highWatermark).toBe(0);
  });

  test("of a topic that was not compacted at first: records without one go, garbage stays", () => {
    let compacts = false;
    const log = new PartitionLog(() => ({ ...config, compacts }), NOW_MS);
    const noKey = buildBatch({ records: [{ value: Buffer.from("x") }], baseTimestampMs: NOW_MS });
    log.append(noKey, { nowMs: NOW_MS, leaderEpoch: 0, produceVersion: 9 });
    append(log, "a=1", { attributes: 1, compress: () => Buffer.from("no gzip") });
    append(log, "a=2");
    append(log, "b=1");
    compacts = true;
    log.compact(NOW_MS);
    expect(batches(log).map((bytes) => readHeader(bytes).baseOffset)).toEqual([1, 2, 3]);
  });

  test.each(compressors)("are found in batches of $name, which stay readable", ({ attributes, compress }) => {
    const log = logWith();
    append(log, "a=1 b=1 c=1", { attributes, compress });
    append(log, "b=2", { attributes, compress });
    append(log, "z=1");
    log.compact(NOW_MS);
    expect(shown(log)).toEqual(["0:a=1", "2:c=1", "3:b=2", "4:z=1"]);
    for (const bytes of batches(log)) expect(isIntact(bytes)).toBe(true);
  });

  test("younger than min.compaction.lag.ms stay, all of them", () => {
    const log = logWith({ minCompactionLagMs: HOUR_MS });
    for (const record of ["a=1", "a=2", "a=3"]) append(log, record);
    log.compact(NOW_MS + HOUR_MS - 1);
    expect(shown(log)).toHaveLength(3);
    log.compact(NOW_MS + HOUR_MS);
    expect(shown(log)).toEqual(["1:a=2", "2:a=3"]);
  });

  test("wait until enough of the log is new", () => {
    const log = logWith({ minCleanableDirtyRatio: 0.5 });
    for (const key of "abcdefgh") append(log, `${key}=1`);
    log.compact(NOW_MS);
    append(log, "a=2");
    append(log, "a=3");
    log.compact(NOW_MS);
    expect(shown(log)).toHaveLength(10);
    for (const key of "abcdefghz") append(log, `${key}=4`);
    log.compact(NOW_MS);
    expect(shown(log).map((one) => one.split(":")[1])).toEqual([..."abcdefghz"].map((key) => `${key}=4`));
  });
});

test("small segments become large ones, so that their number does not grow with time", () => {
  const log = logWith({ segmentBytes: 2000 });
  for (let i = 0; i < 3000; i++) {
    append(log, `key${i % 20}=${i}`);
    if (i % 100 === 0) log.compact(NOW_MS);
  }
  log.compact(NOW_MS);
  expect(log.segmentCount).toBeLessThan(5);
  expect(new Set(shown(log).map((one) => one.slice(one.indexOf(":") + 1, one.indexOf("="))))).toHaveLength(
    20,
  );
});

test("between its steps the log may be written and cut", () => {
  const log = logWith();
  for (let i = 0; i < 12; i++) append(log, `${i % 3}=${i}`);
  let count = 0;
  for (const _ of log.compacting(NOW_MS)) {
    count += 1;
    append(log, `new${count}=1`);
    log.deleteBefore(Math.floor(count / 4));
  }
  expect(log.logStartOffset).toBeGreaterThan(4);
  // The last of them was in the active segment when it began.
  expect(shown(log).filter((record) => !record.includes("new"))).toEqual([
    "8:2=8",
    "9:0=9",
    "10:1=10",
    "11:2=11",
  ]);
  expect(shown(log)).toHaveLength(4 + count);
});

describe("tombstones", () => {
  test("go when delete.retention.ms has passed since they were first seen", () => {
    const log = logWith();
    append(log, "a=1 b=1");
    append(log, "a");
    append(log, "z=1");
    log.compact(NOW_MS + 10);
    expect(shown(log)).toEqual(["1:b=1", "2:a", "3:z=1"]);
    const [, tombstone] = batches(log);
    expect(readHeader(tombstone ?? Buffer.alloc(61)).deleteHorizonMs).toBe(NOW_MS + 10 + HOUR_MS);
    // The horizon is kept in a field that the records' times are counted from: they must be what they were.
    expect([...log.records()].map(({ timestampMs }) => timestampMs)).toEqual([NOW_MS, NOW_MS, NOW_MS]);
    log.compact(NOW_MS + 9 + HOUR_MS);
    expect(shown(log)).toHaveLength(3);
    log.compact(NOW_MS + 10 + HOUR_MS);
    expect(shown(log)).toEqual(["1:b=1", "3:z=1"]);
  });

  test("are superseded like any other record", () => {
    const log = logWith();
    for (const record of ["a=1", "a", "a=2", "z=1"]) append(log, record);
    log.compact(NOW_MS);
    expect(shown(log)).toEqual(["2:a=2", "3:z=1"]);
  });
});

describe("transactions", () => {
  const TRANSACTIONAL = 16;
  function write(log: PartitionLog, producerId: number, baseSequence: number, records: string): number {
    return append(log, records, { producerId, producerEpoch: 0, baseSequence, attributes: TRANSACTIONAL });
  }
  function end(log: PartitionLog, producerId: number, committed: boolean): void {
    const marker = { producerId, producerEpoch: 0, committed, coordinatorEpoch: 0, timestampMs: NOW_MS };
    expect(log.appendMarker(marker, { leaderEpoch: 0 }).errorCode).toBe(0);
  }

  test("that were aborted leave nothing, and supersede nothing", () => {
    const log = logWith();
    append(log, "a=1");
    write(log, 7, 0, "a=2 b=2");
    end(log, 7, false);
    write(log, 7, 2, "b=3");
    end(log, 7, true);
    append(log, "z=1");
    log.compact(NOW_MS);
    expect(shown(log)).toEqual(["0:a=1", "4:b=3", "6:z=1"]);
  });

  test("that are open hold back everything from their first record on", () => {
    const log = logWith();
    append(log, "a=1");
    append(log, "a=2");
    write(log, 7, 0, "a=3");
    append(log, "a=4");
    append(log, "a=5");
    log.compact(NOW_MS);
    expect(shown(log)).toEqual(["1:a=2", "2:a=3", "3:a=4", "4:a=5"]);
    end(log, 7, false);
    append(log, "z=1");
    log.compact(NOW_MS);
    expect(shown(log)).toEqual(["4:a=5", "6:z=1"]);
  });

  test("keep their marker until no batch of theirs is left, and then as long as a tombstone", () => {
    const log = logWith();
    write(log, 7, 0, "a=1");
    end(log, 7, false);
    write(log, 7, 1, "b=1");
    end(log, 7, true);
    append(log, "z=1");
    const controls = () => batches(log).filter((bytes) => readHeader(bytes).control);
    const aborted = () => log.abortedBetween(0, log.highWatermark);
    log.compact(NOW_MS);
    expect([controls().length, aborted().length]).toEqual([2, 1]);
    append(log, "y=1");
    log.compact(NOW_MS);
    // Only the marker is left: a reader that is told of the transaction would wait for a marker that may go.
    expect([controls().length, aborted().length]).toEqual([2, 0]);
    log.compact(NOW_MS + HOUR_MS);
    expect(controls()).toHaveLength(1);
    expect(shown(log)).toEqual(["2:b=1", "4:z=1", "5:y=1"]);
    for (const bytes of batches(log)) expect(isIntact(bytes)).toBe(true);
  });
});

test("a producer's last batch stays, empty, and its repeat is still known", () => {
  const log = logWith();
  append(log, "a=1", { producerId: 7, producerEpoch: 0, baseSequence: 0 });
  append(log, "a=2", { producerId: 7, producerEpoch: 0, baseSequence: 1 });
  append(log, "a=3");
  append(log, "z=1");
  log.compact(NOW_MS);
  expect(shown(log)).toEqual(["2:a=3", "3:z=1"]);
  const [empty] = batches(log);
  expect(readHeader(empty ?? Buffer.alloc(61))).toMatchObject({ baseOffset: 1, baseSequence: 1, count: 0 });
  expect(isIntact(empty ?? Buffer.alloc(0))).toBe(true);
  expect(append(log, "a=2", { producerId: 7, producerEpoch: 0, baseSequence: 1 })).toBe(1);
});

test("whatever is written and whenever it is compacted, the latest value of each key is what it was", () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.array(fc.tuple(fc.nat({ max: 5 }), fc.option(fc.nat({ max: 99 }))), {
        minLength: 1,
        maxLength: 4,
      }),
    },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * HOUR_MS }) },
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 50 }),
      fc.integer({ min: 1, max: 600 }),
      (steps, segmentBytes) => {
        const log = logWith({ segmentBytes });
        let nowMs = NOW_MS;
        const model: string[] = [];
        for (const one of steps) {
          if (typeof one === "number") {
            nowMs += one;
            log.compact(nowMs);
          } else {
            const records = one.map(([key, value]) => (value === null ? `${key}` : `${key}=${value}`));
            append(log, records.join(" "));
            model.push(...records.map((record, index) => `${model.length + index}:${record}`));
          }
          const left = shown(log);
          // A part of what was written, in order.
          expect(left).toEqual(model.filter((record) => left.includes(record)));
          const latest = (records: string[]) =>
            Object.fromEntries(
              [...new Map(records.map((r) => [r.split(/[:=]/)[1] ?? "", r]))].filter(([, r]) =>
                r.includes("="),
              ),
            );
          expect(latest(left)).toEqual(latest(model));
          expect(log.highWatermark).toBe(model.length);
          for (const bytes of batches(log))
            expect([...readRecords(bytes)]).toHaveLength(readHeader(bytes).count);
        }
      },
    ),
    { numRuns: 300 },
  );
});

/**
 * What the log cleaner of Apache Kafka 4.3.1 left of the same writes, with `segment.ms=1` and `delete.retention.ms=3000`,
 * after each of five passes: base offset and last delta, C control, T transactional, H with a delete horizon, records.
 */
const leftByKafka: readonly (readonly string[])[] = [
  [
    "3+0 [3:a=2]",
    "6+0 []",
    "10+0CT",
    "11+0T [11:b=2]",
    "12+0T [12:f=1]",
    "13+0CT",
    "14+0H [14:c]",
    "15+0 [15:d=4]",
  ].concat(["16+0T []", "17+0CT", "18+0 [18:z=1]", "19+0 [19:z=2]", "aborted 7,16"]),
  [
    "3+0 [3:a=2]",
    "6+0 []",
    "10+0CTH",
    "11+0T [11:b=2]",
    "12+0T [12:f=1]",
    "13+0CT",
    "15+0 [15:d=4]",
    "16+0T []",
  ].concat(["17+0CT", "19+0 [19:z=2]", "20+0 [20:y=1]", "21+0 [21:y=2]", "aborted 16"]),
  [
    "3+0 [3:a=2]",
    "6+0 []",
    "11+0T [11:b=2]",
    "13+0CT",
    "15+0 [15:d=4]",
    "17+0CT",
    "19+0 [19:z=2]",
    "21+0 [21:y=2]",
  ].concat(["22+0T [22:f=2]", "23+0CT", "24+0 [24:w=1]", "25+0 [25:w=2]", "aborted 16"]),
  [
    "3+0 [3:a=2]",
    "6+0 []",
    "11+0T [11:b=2]",
    "13+0CT",
    "15+0 [15:d=4]",
    "17+0CTH",
    "19+0 [19:z=2]",
    "21+0 [21:y=2]",
  ].concat(["22+0T [22:f=2]", "23+0CT", "25+0 [25:w=2]", "26+0 [26:v=1]", "27+0 [27:v=2]", "aborted "]),
  [
    "3+0 [3:a=2]",
    "6+0 []",
    "11+0T [11:b=2]",
    "13+0CT",
    "15+0 [15:d=4]",
    "19+0 [19:z=2]",
    "21+0 [21:y=2]",
  ].concat(["22+0T [22:f=2]", "23+0CT", "25+0 [25:w=2]", "27+0 [27:v=2]", "28+0 [28:u=1]", "aborted "]),
];

test("each pass leaves what Apache Kafka's leaves: batches, markers, horizons and aborted transactions", () => {
  const log = logWith({ deleteRetentionMs: 3000 });
  let sequence = 0;
  const transaction = (writes: readonly string[], committed: boolean) => {
    for (const records of writes) {
      append(log, records, { producerId: 1, producerEpoch: 0, baseSequence: sequence, attributes: 16 });
      sequence += records.split(" ").length;
    }
    const marker = { producerId: 1, producerEpoch: 0, committed, coordinatorEpoch: 0, timestampMs: NOW_MS };
    log.appendMarker(marker, { leaderEpoch: 0 });
  };
  const left = () => [
    ...batches(log).map((bytes) => {
      const { baseOffset, lastOffsetDelta, control, transactional, deleteHorizonMs } = readHeader(bytes);
      const marks = `${control ? "C" : ""}${transactional ? "T" : ""}${deleteHorizonMs === null ? "" : "H"}`;
      const records = [...readRecords(bytes)].map(({ offset, key, value }) => {
        return value === null ? `${offset}:${key}` : `${offset}:${key}=${value}`;
      });
      return `${baseOffset}+${lastOffsetDelta}${marks}${control ? "" : ` [${records.join(" ")}]`}`;
    }),
    `aborted ${log.abortedBetween(0, log.highWatermark).map(({ firstOffset }) => firstOffset)}`,
  ];
  const phases = [
    () => {
      append(log, "a=1 b=1 c=1");
      append(log, "a=2");
      append(log, "d=1 d=2", { producerId: 2, producerEpoch: 0, baseSequence: 0 });
      append(log, "d=3", { producerId: 2, producerEpoch: 0, baseSequence: 2 });
      transaction(["a=x b=x", "e=x"], false);
      transaction(["b=2", "f=1"], true);
      for (const record of ["c", "d=4"]) append(log, record);
      transaction(["g=x"], false);
      for (const record of ["z=1", "z=2"]) append(log, record);
    },
    () => ["y=1", "y=2"].map((record) => append(log, record)),
    () => {
      transaction(["f=2"], true);
      for (const record of ["w=1", "w=2"]) append(log, record);
    },
    () => ["v=1", "v=2"].map((record) => append(log, record)),
    () => append(log, "u=1"),
  ];
  for (const [pass, write] of phases.entries()) {
    write();
    log.compact(NOW_MS + pass * 30_000);
    expect(left()).toEqual(leftByKafka[pass]);
  }
});
