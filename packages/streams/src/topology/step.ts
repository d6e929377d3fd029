/** Options of a pipeline step: its name, and what to do if its function throws. */
import { TopologyError } from "../errors.ts";

/**
 * What to do with a record on which a function has thrown on every attempt.
 *
 * - `dead-letter`: it goes to `<topic>.dlq`, untouched, with the reason, and processing continues
 * - `skip`: it is skipped, logged and counted (`kelvin_records_skipped_total`)
 * - `fail`: `app.run()` rejects with {@link ProcessingError}; the next start begins with this record
 */
export type OnFailure = "dead-letter" | "skip" | "fail";

/** What to do if a step's function throws. A record is retried as a whole, from its first step. */
export interface StepPolicy {
  /** Total number of attempts for a record if this step throws. @default the app's */
  readonly attempts?: number;
  /** Milliseconds before the second attempt, doubled for each further one, up to a minute. @default the app's */
  readonly backoffMs?: number;
  /** What to do after the last attempt. @default the app's */
  readonly onFailure?: OnFailure;
}

/** Options of every operation that calls a function. */
export interface StepOptions extends StepPolicy {
  /**
   * The step's name in diagrams, logs and dead letters. Kafka Streams' `Named.as`; Quix has no equivalent.
   *
   * @default the function's name, or the expression of a short arrow function
   */
  readonly name?: string;
}

const EXPRESSION_CHARS_MAX = 60;

/** The name that was given, the function's own, or what it says: `reading.celsius > 30`. */
export function stepName(run: { readonly name: string; toString(): string }, given?: string): string {
  if (given !== undefined) return given;
  if (run.name !== "") return run.name;
  const [, expression = ""] = /^(?:async\s+)?(?:[\w$]+|\([^()]*\))\s*=>\s*(.+)$/s.exec(run.toString()) ?? [];
  if (expression.startsWith("{")) return "";
  const line = expression.replaceAll(/\s+/g, " ").trim();
  return line.length <= EXPRESSION_CHARS_MAX ? line : `${line.slice(0, EXPRESSION_CHARS_MAX - 1)}…`;
}

/** What a step says for itself; nothing where it says nothing. */
export function stepPolicy({ attempts, backoffMs, onFailure }: StepPolicy): StepPolicy {
  mustBeWhole("attempts", attempts, 1);
  mustBeWhole("backoffMs", backoffMs, 0);
  return {
    ...(attempts !== undefined && { attempts }),
    ...(backoffMs !== undefined && { backoffMs }),
    ...(onFailure !== undefined && { onFailure }),
  };
}

function mustBeWhole(option: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new TopologyError(`${option} of a step is ${value}; it must be a whole number of at least ${least}.`);
}
