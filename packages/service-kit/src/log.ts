/** Logs: JSON lines for machines, coloured text for people, secrets in neither. */
import { pino } from "pino";
import { textOf } from "./log-text.ts";

/** A line is an event with fields: `log.warn({ topic, partition }, "record skipped")`. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
  /** The same log with these fields on every line. */
  child(fields: object): Log;
}

/** The least serious line that is written; `silent` writes none. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** How a log looks and where it goes. */
export interface LogOptions {
  name: string;
  level: LogLevel;
  /** `auto` is pretty in a terminal and JSON elsewhere. */
  format: "auto" | "json" | "pretty";
  /** The supervisor names the service itself, in front of each line. */
  hideName?: boolean;
  /** Where lines go instead of the standard output; a test's. */
  write?: (line: string) => void;
}

const REDACTED = ["password", "PASSWORD", "KAFKA_SASL_PASSWORD", "token", "authorization"].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/** Lines are written at once, so that none is lost when the process ends. */
export function createLog({ name, level, format, hideName = false, write }: LogOptions): Log {
  const wantsText = format === "pretty" || (format === "auto" && process.stdout.isTTY === true);
  const destination = write === undefined ? standardOutput() : { write };
  return pino(
    {
      level,
      base: { service: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: REDACTED, censor: "(secret)" },
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    wantsText ? asText(destination, hideName) : destination,
  );
}

function asText(destination: { write(line: string): void }, hideName: boolean) {
  const isTerminal = process.stdout.isTTY === true || process.env.FORCE_COLOR !== undefined;
  const hasColours = isTerminal && process.env.NO_COLOR === undefined;
  return { write: (line: string) => destination.write(textOf(line, { hasColours, hideName })) };
}

/** The reader may be gone before we are (its pipe is closed): then there is nobody left to tell. */
function standardOutput() {
  const destination = pino.destination({ dest: 1, sync: true });
  destination.on("error", () => {});
  return destination;
}
