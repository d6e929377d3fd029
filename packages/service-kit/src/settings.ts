/** Settings: the process's environment, checked as a whole before anything starts. */
import * as z from "zod";
import { SettingsError } from "./errors.ts";

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable's value is not repeated in a message when its name says that it is secret. */
const SECRET = /PASSWORD|SECRET|TOKEN|PRIVATE_KEY/;

/** Both ends of what makes sense: without the upper one 1e300 s of patience is a setting. */
export interface Range {
  min: number;
  max: number;
}

/** A whole number, `min` to `max`. */
export function integer(range: Range) {
  return numeric(/^[+-]?\d+$/, "a whole number", range);
}

/** A decimal number, `min` to `max`. */
export function decimal(range: Range) {
  return numeric(/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i, "a number", range);
}

/** A yes or no: true, yes, on, 1 and false, no, off, 0. */
export function flag() {
  return z.stringbool({
    truthy: ["true", "yes", "on", "1"],
    falsy: ["false", "no", "off", "0"],
    error: "must be true or false",
  });
}

/** A comma-separated list; spaces and empty parts are dropped, and one part must stay. */
export function list() {
  return z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    )
    .refine((parts) => parts.length > 0, "must name at least one");
}

/** A TCP port; 0 asks the system for a free one. */
export function port() {
  return integer({ min: 0, max: 65_535 });
}

/**
 * Reads settings from the environment: an empty variable counts as unset, as compose files need it.
 *
 * @throws SettingsError with the problems of all schemas at once
 */
export function readSettings<A extends object, B extends object>(
  environment: Environment,
  common: z.ZodType<A>,
  own: z.ZodType<B>,
): A & B {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const [left, right] = [common.safeParse(given), own.safeParse(given)];
  const issues = [...(left.error?.issues ?? []), ...(right.error?.issues ?? [])];
  if (left.success && right.success) return { ...left.data, ...right.data };
  throw new SettingsError(issues.map((issue) => problemOf(issue, given)));
}

function problemOf(issue: z.core.$ZodIssue, given: Environment): string {
  const name = String(issue.path[0] ?? "");
  const value = given[name];
  if (name === "") return issue.message;
  if (value === undefined || SECRET.test(name)) return `${name}: ${issue.message}`;
  return `${name}=${value}: ${issue.message}`;
}

function numeric(pattern: RegExp, what: string, { min, max }: Range) {
  const message = `must be ${what} from ${min} to ${max}`;
  return z
    .string()
    .trim()
    .regex(pattern, { error: message, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}
