import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "@kelvin/service-kit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { replayOf, Settings } from "./config.ts";
import type { Due } from "./pace.ts";
import {
  type BadRow,
  celsius,
  type LongWait,
  LongWaits,
  ReplayFileError,
  type ReplayListener,
  type ReplayOptions,
  replayReadings,
} from "./replay.ts";

const NOW_MS = Date.UTC(2026, 5, 1, 12);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kelvin-replay-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Notes what it is told. */
function listener() {
  const told: { bad: BadRow[]; waits: LongWait[] } = { bad: [], waits: [] };
  const all: ReplayListener = {
    onBadRow: (row) => told.bad.push(row),
    onLongWait: (wait) => told.waits.push(wait),
  };
  return { ...told, all };
}

async function replayed(text: string | Buffer, options: Partial<ReplayOptions> = {}, now = () => NOW_MS) {
  const file = join(folder, "rows.csv");
  await writeFile(file, text);
  const { bad, waits, all: listening } = listener();
  const due: Due[] = [];
  const all: ReplayOptions = { file, unit: "celsius", speed: 300, device: "m", atEnd: "stop", ...options };
  for await (const reading of replayReadings(all, now, listening)) due.push(reading);
  return { file, due, bad, waits, readings: due.map(({ reading }) => reading) };
}

/** Milliseconds after now. */
function offsets(due: readonly Due[]): { due: number[]; timestamps: number[] } {
  return {
    due: due.map(({ dueMs }) => dueMs - NOW_MS),
    timestamps: due.map(({ reading }) => Date.parse(reading.timestamp) - NOW_MS),
  };
}

describe("rows", () => {
  test("move to now, and keep their distances divided by the speed", async () => {
    const { due, bad } = await replayed(
      "timestamp,value\n2013-12-02 21:15:00,1\n2013-12-02 21:20:00,2\n2013-12-02 21:35:00,3\n",
    );
    expect(bad).toEqual([]);
    expect(offsets(due)).toEqual({ due: [0, 1000, 4000], timestamps: [0, 1000, 4000] });
    expect(Object.keys(due[0]?.reading ?? {})).toEqual(["timestamp", "device_id", "temperature"]);
    expect(due[0]?.reading).toEqual({
      timestamp: "2026-06-01T12:00:00.000Z",
      device_id: "m",
      temperature: 1,
    });
  });

  test("that step back in time keep their earlier timestamp and follow at once", async () => {
    const { due } = await replayed(
      "timestamp,value\n2014-01-07 02:00:00,1\n2014-01-07 02:55:00,2\n2014-01-07 02:00:00,3\n2014-01-07 03:00:00,4\n",
    );
    expect(offsets(due)).toEqual({ due: [0, 11_000, 11_000, 12_000], timestamps: [0, 11_000, 0, 12_000] });
  });

  test("may name their device, quote their fields, carry offsets, and have more columns", async () => {
    const { readings, bad } = await replayed(
      '\ufeffdevice_id,Timestamp,note,value\r\n"oven, left",2020-01-01T01:00:00+01:00,"a ""b""",20.005\r\n,2020-01-01T00:05:00Z,,-1e1\r\n',
    );
    expect(bad).toEqual([]);
    expect(readings).toEqual([
      { timestamp: "2026-06-01T12:00:00.000Z", device_id: "oven, left", temperature: 20.01 },
      { timestamp: "2026-06-01T12:00:01.000Z", device_id: "m", temperature: -10 },
    ]);
  });

  test("are converted to degrees Celsius", () => {
    expect([
      celsius(32, "fahrenheit"),
      celsius(212, "fahrenheit"),
      celsius(273.15, "kelvin"),
      celsius(7, "celsius"),
    ]).toEqual([0, 100, 0, 7]);
    fc.assert(
      fc.property(fc.double({ min: -400, max: 1e5, noNaN: true }), (degrees) => {
        expect(celsius((degrees * 9) / 5 + 32, "fahrenheit")).toBeCloseTo(degrees, 6);
      }),
    );
  });

  test("continue from now after the machine slept: none is skipped, and they don't come in a flood", async () => {
    let now = NOW_MS;
    const rows = Array.from(
      { length: 6 },
      (_, index) => `2020-01-01 00:${String(index * 5).padStart(2, "0")}:00,1\n`,
    );
    const file = join(folder, "slept.csv");
    await writeFile(file, `timestamp,value\n${rows.join("")}`);
    const due: number[] = [];
    const options: ReplayOptions = { file, unit: "celsius", speed: 300, device: "m", atEnd: "stop" };
    for await (const { dueMs } of replayReadings(options, () => now, listener().all)) {
      due.push(dueMs - NOW_MS);
      now = Math.max(now, dueMs);
      if (due.length === 3) now += 3_600_000;
    }
    expect(due).toEqual([0, 1000, 2000, 3_603_000, 3_604_000, 3_605_000]);
  });
});

describe("bad rows", () => {
  test("are told with file and line, and the good ones around them are kept", async () => {
    const { readings, bad, file } = await replayed(
      [
        "timestamp,value",
        "2020-01-01 00:00:00,20",
        "2020-01-01 00:05:00,hot",
        "yesterday,20",
        "2020-01-01 00:10:00",
        "2020-01-01 00:10:00,1,2",
        "2020-02-30 00:10:00,20",
        "2020-01-01 00:10:00,-300",
        "",
        "2020-01-01 00:10:00,NaN",
        "2020-01-01 00:15:00,21",
      ].join("\n"),
    );
    expect(readings.map(({ temperature }) => temperature)).toEqual([20, 21]);
    expect(bad.every((row) => row.file === file)).toBe(true);
    expect(bad.map(({ line, problem }) => `${line}: ${problem}`)).toEqual([
      "3: value is not a number",
      "4: timestamp is not a date and time",
      "5: 1 fields for 2 columns",
      "6: 3 fields for 2 columns",
      "7: timestamp is not a date and time",
      "8: temperature Too small: expected number to be >=-273.15",
      "10: value is not a number",
    ]);
  });

  test("a quote that is never closed costs its row and not the file", async () => {
    const { readings, bad } = await replayed(
      'timestamp,value\n2020-01-01 00:00:00,1\n"2020-01-01 00:05:00,2\n2020-01-01 00:10:00,3\n',
    );
    expect(readings.map(({ temperature }) => temperature)).toEqual([1, 3]);
    expect(bad).toEqual([expect.objectContaining({ line: 3, problem: expect.stringMatching(/quote/i) })]);
  });

  test("binary rubbish between rows is told, never thrown", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (rubbish) => {
        const before = Buffer.from("timestamp,value\n2020-01-01 00:00:00,1\n");
        const { readings } = await replayed(Buffer.concat([before, rubbish]));
        expect(readings[0]?.temperature).toBe(1);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a mistyped time", () => {
  const minutes = (count: number) => `2020-01-01 00:${String(count).padStart(2, "0")}:00`;
  const rowsWith = (line: number, time: string) => {
    const rows = Array.from({ length: 6 }, (_, index) => `${minutes(index * 5)},${index}`);
    rows[line - 2] = `${time},99`;
    return `timestamp,value\n${rows.join("\n")}\n`;
  };

  test.each([
    ["the first row", 2, "2091-01-01 00:00:00"],
    ["the first row, in the past", 2, "0202-01-01 00:00:00"],
    ["a row in the middle", 4, "2091-01-01 00:10:00"],
    ["a row in the middle, in the past", 4, "1020-01-01 00:10:00"],
    ["the last row", 7, "2091-01-01 00:25:00"],
  ])("of %s is told and left out, and holds up no other row", async (_, line, time) => {
    const { due, readings, bad, waits } = await replayed(rowsWith(line, time));
    const expected = [0, 1, 2, 3, 4, 5].filter((index) => index !== line - 2);
    expect(readings.map(({ temperature }) => temperature)).toEqual(expected);
    expect(offsets(due).timestamps).toEqual(expected.map((index) => (index - (expected[0] ?? 0)) * 1000));
    expect(bad).toEqual([
      { file: expect.any(String), line, problem: expect.stringMatching(/^timestamp is \d+ days away from/) },
    ]);
    expect(waits).toEqual([]);
  });

  test("of the next day is waited for no longer than told: at 300 times the speed it is not far", async () => {
    const { readings, bad, waits } = await replayed(rowsWith(4, "2020-01-02 00:10:00"));
    expect(readings).toHaveLength(6);
    expect(bad).toEqual([]);
    expect(waits.map(({ line, untilMs }) => [line, untilMs - NOW_MS])).toContainEqual([4, 290_000]);
  });

  test("beyond all years is told wherever the speed would put it, and never thrown", async () => {
    const text =
      "timestamp,value\n2020-01-01 00:00:00,1\n2020-01-01 00:00:01,2\n9000-01-01 00:00:00,3\n9000-01-01 00:00:01,4\n";
    const { readings, bad } = await replayed(text, { speed: 0.001 });
    expect(readings.map(({ temperature }) => temperature)).toEqual([1, 2]);
    expect(bad.map(({ line }) => line)).toEqual([4, 5]);
  });

  test("is not what a gap is: rows after it are sent, and the wait is told with file and line, and ends", async () => {
    const text =
      "timestamp,value\n2020-01-01 00:00:00,1\n2020-01-01 00:05:00,2\n2020-03-01 00:00:00,3\n2020-03-01 00:05:00,4\n";
    const { file, readings, bad, waits } = await replayed(text);
    expect(readings).toHaveLength(4);
    expect(bad).toEqual([]);
    const [wait] = waits;
    expect(wait).toMatchObject({ file, line: 4 });

    const lines: string[] = [];
    const log = createLog({ name: "t", level: "warn", format: "json", write: (line) => lines.push(line) });
    const longWaits = new LongWaits(log);
    expect(longWaits.why(NOW_MS)).toBeUndefined();
    if (wait !== undefined) longWaits.begin(wait);
    expect(lines.join("")).toContain(`${file}:4 is not due before then`);
    expect(longWaits.why(NOW_MS)).toMatch(/waits until 2026-06-01T16:\d\d.*rows\.csv:4 is due$/);
    expect(longWaits.why((wait?.untilMs ?? 0) + 1)).toBeUndefined();
  });

  test("is none in a file that only goes forward, whatever its gaps: no row between first and last is lost", async () => {
    const gap = fc.oneof(
      fc.integer({ min: 0, max: 600_000 }),
      fc.integer({ min: 0, max: 300 * 24 * 3_600_000 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(gap, { minLength: 2, maxLength: 20 }), async (gaps) => {
        let timeMs = Date.UTC(2000, 0, 1);
        const rows = gaps.map((byMs, index) => {
          timeMs += byMs;
          return `${new Date(timeMs).toISOString()},${index}`;
        });
        const { readings, bad } = await replayed(`timestamp,value\n${rows.join("\n")}\n`);
        const inside = readings.map(({ temperature }) => temperature);
        expect(inside.length + bad.length).toBe(gaps.length);
        expect(bad.every(({ line }) => line === 2 || line === rows.length + 1)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a file", () => {
  test.each([
    ["nothing at all", "", "has no row"],
    ["column names only", "timestamp,value\n", "has no row"],
    ["other columns", "time,temp\n1,2\n", 'has no column "timestamp"'],
    ["bad rows only", "timestamp,value\nx,y\n", "has no row"],
  ])("with %s is refused by name", async (_, text, problem) => {
    await expect(replayed(text)).rejects.toThrow(ReplayFileError);
    await expect(replayed(text)).rejects.toThrow(problem);
  });

  test("that is not there is refused by name", async () => {
    const options: ReplayOptions = {
      file: "/none/here.csv",
      unit: "celsius",
      speed: 1,
      device: "m",
      atEnd: "loop",
    };
    const first = replayReadings(options, () => NOW_MS, listener().all).next();
    await expect(first).rejects.toThrow(/\/none\/here\.csv: can't be read: ENOENT/);
  });

  test("that loops begins again with its first row one step after the last, and tells a bad row once", async () => {
    const file = join(folder, "loop.csv");
    await writeFile(file, "timestamp,value\n2020-01-01 00:00:00,1\nx,1\n2020-01-01 00:05:00,2\n");
    const { bad, all } = listener();
    let now = NOW_MS;
    const seen: string[] = [];
    const options: ReplayOptions = { file, unit: "celsius", speed: 300, device: "m", atEnd: "loop" };
    for await (const { dueMs, reading } of replayReadings(options, () => now, all)) {
      now = Math.max(now, dueMs) + 1;
      seen.push(`${dueMs - NOW_MS} ${reading.temperature}`);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(["0 1", "1000 2", "2000 1", "3000 2"]);
    expect(bad).toHaveLength(1);
  });

  test.each([
    ["one row", ["2020-01-01 00:00:00,1"]],
    ["rows of one moment", ["2020-01-01 00:00:00,1", "2020-01-01 00:00:00,2"]],
  ])("of %s loops once a second, and is no flood", async (_, rows) => {
    const file = join(folder, "moment.csv");
    await writeFile(file, `timestamp,value\n${rows.join("\n")}\n`);
    const options: ReplayOptions = { file, unit: "celsius", speed: 300, device: "m", atEnd: "loop" };
    let now = NOW_MS;
    const dues: number[] = [];
    for await (const { dueMs } of replayReadings(options, () => now, listener().all)) {
      now = Math.max(now, dueMs);
      dues.push(dueMs - NOW_MS);
      if (dues.length === 3 * rows.length) break;
    }
    expect(dues).toEqual([0, 1000, 2000].flatMap((ms) => rows.map(() => ms)));
  });
});

describe("the shipped series", () => {
  test("has 22,695 readings of a machine between -17 and 43 °C, one step back of 55 minutes, and no bad row", async () => {
    const options = replayOf(Settings.parse({ REPLAY: "shipped", REPLAY_AT_END: "stop" }));
    if (options === undefined) throw new TypeError("REPLAY is set");
    const { bad, waits, all } = listener();
    const steps: number[] = [];
    let count = 0;
    let last = Number.NEGATIVE_INFINITY;
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for await (const { reading } of replayReadings(options, () => NOW_MS, all)) {
      const timeMs = Date.parse(reading.timestamp);
      if (timeMs < last) steps.push(timeMs - last);
      last = timeMs;
      count++;
      min = Math.min(min, reading.temperature);
      max = Math.max(max, reading.temperature);
    }
    // All are due at once here, so the waits are those of a test's clock that stands still.
    expect(waits.length).toBeGreaterThan(0);
    expect({ count, bad, steps, min, max }).toEqual({
      count: 22_695,
      bad: [],
      steps: [-11_000],
      min: -16.62,
      max: 42.51,
    });
  });
});
