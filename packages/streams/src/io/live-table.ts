/** Shows the values of `print` as tables that are redrawn in place in a terminal. */
import type { Clock } from "../ports.ts";
import type { RecordContext } from "../topology/nodes.ts";
import { machineClock } from "./machine-clock.ts";

/** A terminal or a substitute; `process.stdout` is one. */
export interface TerminalOutput {
  /** Whether it is a terminal; undefined for files and pipes. */
  readonly isTTY?: boolean;
  /** Width in characters. @default 80 */
  readonly columns?: number;
  /** Height in lines. @default 24 */
  readonly rows?: number;
  write(text: string): unknown;
}

/** Options of a live table. */
export interface LiveTableOptions {
  /** How many of the latest values to show per `print`. Quix' `size`. @default 10 */
  readonly size?: number;
  /** Milliseconds between redraws. @default 100 */
  readonly everyMs?: number;
  readonly clock?: Clock;
}

/** Displays a value of `print`: the step's label, the value, and the record it comes from. */
export type Print = (label: string, value: unknown, context: RecordContext) => void;

type Row = ReadonlyMap<string, string>;

/**
 * For the app's option `print`: one table per `print` of the pipeline, with the latest values at the bottom. Quix'
 * `print_table`; Kafka Streams' `print` writes lines only.
 *
 * Returns undefined if the output is not a terminal; the app then logs a line for each value. Log lines on the same
 * terminal push the tables down: send the log elsewhere.
 */
export function liveTable(output: TerminalOutput, options: LiveTableOptions = {}): Print | undefined {
  if (output.isTTY !== true) return undefined;
  const { size = 10, everyMs = 100, clock = machineClock } = options;
  const tables = new Map<string, Row[]>();
  let drawnLines = 0;
  let isPlanned = false;
  const draw = () => {
    isPlanned = false;
    const { columns = 80, rows: linesMax = 24 } = output;
    const lines = [...tables].flatMap(([label, rows]) => tableLines(label, rows, columns));
    // What has scrolled out of the terminal can't be drawn over: the newest lines have to do.
    const shown = lines.slice(-Math.max(1, linesMax - 1));
    // Up to the first line drawn before, and from there all is cleared.
    const back = drawnLines === 0 ? "" : `\x1b[${drawnLines}F\x1b[J`;
    output.write(`${back}${shown.join("\n")}\n`);
    drawnLines = shown.length;
  };
  return (label, value, context) => {
    const rows = tables.get(label) ?? [];
    tables.set(label, [...rows, rowOf(value, context)].slice(-size));
    if (!isPlanned) clock.setTimeout(draw, everyMs);
    isPlanned = true;
  };
}

/** A title, the columns' names, the rows; each cut to the terminal's width. */
function tableLines(label: string, rows: readonly Row[], width: number): string[] {
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const cells = [names, ...rows.map((row) => names.map((name) => row.get(name) ?? ""))];
  const widths = names.map((_, column) => Math.max(...cells.map((line) => lengthOf(line[column] ?? ""))));
  const isNumeric = names.map((name) =>
    rows.every((row) => /^(-?[\d.]+(e[+-]?\d+)?)?$/.test(row.get(name) ?? "")),
  );
  const texts = cells.map((line) =>
    line.map((text, column) => padded(text, widths[column] ?? 0, isNumeric[column] === true)).join("  "),
  );
  return [plain(label), ...texts].map((line) => cut(line.trimEnd(), width));
}

/** The record's key and event time, and a column for each field; what lies deeper gets a dotted name. */
function rowOf(value: unknown, { key, timestampMs }: RecordContext): Row {
  const row = new Map<string, string>([
    ["(key)", plain(key)],
    ["(time)", timeOf(timestampMs)],
  ]);
  const add = (name: string, field: unknown): void => {
    if (!isPlainObject(field)) return void row.set(name === "" ? "value" : plain(name), textOf(field));
    for (const [inner, deeper] of Object.entries(field))
      add(name === "" ? inner : `${name}.${inner}`, deeper);
  };
  add("", value);
  return row;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function textOf(field: unknown): string {
  if (field === undefined) return "";
  if (typeof field === "string") return plain(field);
  if (typeof field === "bigint") return String(field);
  try {
    return plain(JSON.stringify(field) ?? String(field));
  } catch (error) {
    return plain(String(error));
  }
}

function timeOf(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().slice(11, -1) : String(ms);
}

/** Without control characters: a device's text must not steer the terminal. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, "�");
}

function lengthOf(text: string): number {
  return [...text].length;
}

function padded(text: string, width: number, isNumeric: boolean): string {
  const gap = " ".repeat(Math.max(0, width - lengthOf(text)));
  return isNumeric ? gap + text : text + gap;
}

function cut(line: string, width: number): string {
  const characters = [...line];
  return characters.length <= width ? line : `${characters.slice(0, width - 1).join("")}…`;
}
