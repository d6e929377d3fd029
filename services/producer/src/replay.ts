/** The replay: a CSV file of real readings, told again as if it happened now, and faster. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { round2, type SensorReading, SensorReading as SensorReadingSchema, utc } from "@kelvin/schema";
import type { Log } from "@kelvin/service-kit";
import { CsvError, parse } from "csv-parse/sync";
import * as z from "zod";
import { CATCH_UP_MS, type Due } from "./pace.ts";
import { withoutStrays } from "./strays.ts";

export type Unit = "celsius" | "fahrenheit" | "kelvin";

export interface ReplayOptions {
  /** A CSV file with a line of column names: `timestamp`, `value`, and `device_id` if there are several machines. */
  file: string;
  /** The unit of `value`. */
  unit: Unit;
  /** How much faster than it was. */
  speed: number;
  /** Where the file names no device. */
  device: string;
  atEnd: "loop" | "stop";
}

/** A row that is not a reading: it is skipped. */
export interface BadRow {
  file: string;
  line: number;
  problem: string;
}

/** A row that is due only after a long wait. */
export interface LongWait {
  file: string;
  line: number;
  /** When it is due, in milliseconds since the epoch. */
  untilMs: number;
}

/** What there is to tell about a file while it is replayed. */
export interface ReplayListener {
  /** Once for each row that is not a reading, in the first round only. */
  onBadRow(row: BadRow): void;
  /** Before a wait of more than a minute, which looks like a stall. */
  onLongWait(wait: LongWait): void;
}

/** The file as a whole can't be replayed. */
export class ReplayFileError extends Error {
  override readonly name = "ReplayFileError";
  readonly code = "PRODUCER_REPLAY_FILE";

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}. Set REPLAY to use another file.`, options);
  }
}

/** Longer than any row of readings. */
const ROW_LENGTH_MAX = 4096;
/** A wait that is told. */
const LONG_WAIT_MS = 60_000;
/** A time that would be waited for so long, and that no row near it confirms, is mistyped. */
const STRAY_WAIT_MS = 600_000;
/** ISO 8601 has four digits for the year. */
const LATEST_MS = Date.UTC(9999, 11, 31);
const DAY_MS = 86_400_000;
/** From the last row to the first one again, where the rows have no distance to go by. */
const LONE_ROW_STEP_MS = 1000;

const Row = z.object({
  /** Without an offset it is taken as UTC: only the distances between rows matter. */
  timestamp: z
    .string()
    .transform((text) => text.replace(" ", "T"))
    .pipe(z.iso.datetime({ offset: true, local: true, error: "is not a date and time" }))
    .transform((text) => Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)),
  value: z
    .string()
    .regex(/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i, "is not a number")
    .transform(Number),
  device_id: z.string().optional(),
});

/**
 * The readings of the file in its own order, each with the time when it is due: the first row is moved to now, the
 * others keep their distance to it, divided by `speed`. A row that steps back in time keeps its earlier timestamp and
 * follows at once, as a late reading does. A row whose time is far from all those around it is not a reading. The file's
 * end is followed by its first row again, after the mean distance of two rows.
 *
 * @throws ReplayFileError where the file can't be read, lacks a column or holds no reading at all
 */
export async function* replayReadings(
  options: ReplayOptions,
  now: () => number,
  listener: ReplayListener,
): AsyncGenerator<Due> {
  const { file, speed } = options;
  let startMs = now();
  for (let round = 1; round === 1 || options.atEnd === "loop"; round++) {
    const bad = (line: number, problem: string) => {
      if (round === 1) listener.onBadRow({ file, line, problem });
    };
    const rows = withoutStrays(rowsOf(options, bad), STRAY_WAIT_MS * speed, (row, byMs) =>
      bad(row.line, `timestamp is ${Math.round(byMs / DAY_MS)} days away from the rows around it`),
    );
    let first: number | undefined;
    let latestMs = Number.NEGATIVE_INFINITY;
    let count = 0;
    let dueMs = startMs;
    for await (const row of rows) {
      first ??= row.timeMs;
      latestMs = Math.max(latestMs, row.timeMs);
      count++;
      // Nothing is skipped after a pause of the whole process: the series continues from now.
      const behindMs = now() - dueMs;
      if (behindMs > CATCH_UP_MS) {
        startMs += behindMs;
        dueMs += behindMs;
      }
      const timeMs = Math.round(startMs + (row.timeMs - first) / speed);
      if (timeMs < 0 || timeMs > LATEST_MS) {
        bad(row.line, "timestamp is too far from the first row's to be represented");
        continue;
      }
      dueMs = Math.max(dueMs, timeMs);
      if (dueMs - now() > LONG_WAIT_MS) listener.onLongWait({ file, line: row.line, untilMs: dueMs });
      yield { dueMs, reading: { timestamp: utc(timeMs), ...row.reading } };
    }
    if (first === undefined) throw new ReplayFileError(file, "has no row that is a reading");
    const stepMs = latestMs > first ? (latestMs - first) / (count - 1) / speed : LONE_ROW_STEP_MS;
    startMs = Math.max(now(), dueMs + stepMs);
  }
}

/** Logs long waits, and says how long the current one lasts. */
export class LongWaits {
  readonly #log: Log;
  #last: LongWait | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  begin(wait: LongWait): void {
    this.#last = wait;
    const { file, line, untilMs } = wait;
    this.#log.warn(
      { until: utc(untilMs) },
      `${file}:${line} is not due before then; sending nothing until it is`,
    );
  }

  /** What is waited for; undefined where nothing is. */
  why(nowMs: number): string | undefined {
    if (this.#last === undefined || this.#last.untilMs <= nowMs) return undefined;
    const { file, line, untilMs } = this.#last;
    return `the replay waits until ${utc(untilMs)}, when ${file}:${line} is due`;
  }
}

/** So many bad rows are logged one by one; a file of another kind is not logged line by line. */
const REPORTED_MAX = 100;

/** Logs each bad row with file and line, and counts it. */
export function badRowReporter(log: Log, onEach: () => void): (row: BadRow) => void {
  let count = 0;
  return (row) => {
    onEach();
    count++;
    if (count <= REPORTED_MAX)
      log.warn({ problem: row.problem }, `${row.file}:${row.line} is not a reading; skipped`);
    if (count === REPORTED_MAX)
      log.warn({ file: row.file }, "further invalid rows are counted but not logged");
  };
}

interface ReadRow {
  line: number;
  timeMs: number;
  reading: Omit<SensorReading, "timestamp">;
}

async function* rowsOf(
  options: ReplayOptions,
  bad: (line: number, problem: string) => void,
): AsyncGenerator<ReadRow> {
  const { file } = options;
  let columns: string[] | undefined;
  for await (const { line, fields, problem } of recordsOf(file)) {
    if (columns === undefined) {
      if (problem !== undefined)
        throw new ReplayFileError(file, `line ${line} has no column names: ${problem}`);
      columns = fields.map((name) => name.trim().toLowerCase());
      for (const needed of ["timestamp", "value"]) {
        if (!columns.includes(needed))
          throw new ReplayFileError(file, `line ${line} has no column "${needed}"`);
      }
      continue;
    }
    const read = problem === undefined ? readingOf(columns, fields, options) : { problem };
    if ("problem" in read) bad(line, read.problem);
    else yield { line, ...read };
  }
}

function readingOf(
  columns: string[],
  fields: string[],
  options: ReplayOptions,
): Omit<ReadRow, "line"> | { problem: string } {
  if (fields.length !== columns.length) {
    return { problem: `${fields.length} fields for ${columns.length} columns` };
  }
  const row = Row.safeParse(Object.fromEntries(columns.map((name, index) => [name, fields[index]])));
  if (!row.success) return { problem: problemsOf(row.error) };
  const { timestamp: timeMs, value, device_id: device } = row.data;
  const temperature = round2(celsius(value, options.unit));
  const checked = SensorReadingSchema.omit({ timestamp: true }).safeParse({
    device_id: device === undefined || device === "" ? options.device : device,
    temperature,
  });
  return checked.success ? { timeMs, reading: checked.data } : { problem: problemsOf(checked.error) };
}

function problemsOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ");
}

export function celsius(value: number, unit: Unit): number {
  if (unit === "fahrenheit") return ((value - 32) * 5) / 9;
  return unit === "kelvin" ? value - 273.15 : value;
}

interface CsvRecord {
  line: number;
  fields: string[];
  problem?: string;
}

const Records = z.array(z.array(z.string())).length(1);

/**
 * The file's records, a line each: a quote that is never closed costs its own line and no other. (CSV allows line ends
 * within quotes; readings have none.)
 */
async function* recordsOf(file: string): AsyncGenerator<CsvRecord> {
  const input = createReadStream(file, { encoding: "utf8" });
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line++;
      if (text.trim() !== "") yield { line, ...fieldsOf(text) };
    }
  } catch (error) {
    if (error instanceof ReplayFileError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReplayFileError(file, `can't be read: ${reason}`, { cause: error });
  } finally {
    input.destroy();
  }
}

function fieldsOf(text: string): { fields: string[]; problem?: string } {
  if (text.length > ROW_LENGTH_MAX) return { fields: [], problem: `is ${text.length} characters long` };
  try {
    const [fields = []] = Records.parse(parse(text, { bom: true, trim: true, relax_column_count: true }));
    return { fields };
  } catch (error) {
    return { fields: [], problem: error instanceof CsvError ? error.message : "is not a row" };
  }
}
