/** A line of the log for people: `[08:50:12.345] WARN: record skipped {"topic":"sensor"}`, and an error's stack below. */
import { styleText } from "node:util";
import * as z from "zod";

/** What the log writes; further fields are the event's own, whatever they are called. */
const Line = z.looseObject({
  level: z.string(),
  time: z.string(),
  service: z.string(),
  msg: z.string().default(""),
});

const ErrorField = z.looseObject({ stack: z.string() });

type Colour = Parameters<typeof styleText>[0];

const LEVEL_COLOURS: Readonly<Record<string, Colour>> = {
  debug: "blue",
  info: "green",
  warn: "yellow",
  error: "red",
  fatal: "bgRed",
};

export interface TextOptions {
  readonly hasColours: boolean;
  /** For lines that have the service's name in front of them already. */
  readonly hideName: boolean;
}

/** @param line one line of JSON, as the log writes it */
export function textOf(line: string, { hasColours, hideName }: TextOptions): string {
  const { level, time, service, msg, ...fields } = Line.parse(JSON.parse(line));
  const paint = (colour: Colour, text: string): string =>
    hasColours ? styleText(colour, text, { validateStream: false }) : text;
  const stacks: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const error = ErrorField.safeParse(value);
    if (!error.success) continue;
    stacks.push(error.data.stack.replaceAll(/^/gm, "    "));
    delete fields[name];
  }
  const name = hideName ? "" : ` (${service})`;
  const head = `[${timeOfDay(time)}] ${paint(LEVEL_COLOURS[level] ?? "white", level.toUpperCase())}${name}: `;
  const tail = Object.keys(fields).length === 0 ? "" : ` ${paint("gray", JSON.stringify(fields))}`;
  return `${[`${head}${paint("cyan", msg)}${tail}`, ...stacks].join("\n")}\n`;
}

/** By the machine's own time zone: it is the clock on the wall that people compare with. */
function timeOfDay(isoTime: string): string {
  const time = new Date(isoTime);
  return `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}
