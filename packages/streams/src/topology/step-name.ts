/** What a step of a pipeline is called in diagrams, logs and dead letters. */

/** For every operation that calls a function. */
export interface StepOptions {
  /**
   * What the step is called in diagrams, logs and dead letters. Kafka Streams' `Named.as`, Quix has none.
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
