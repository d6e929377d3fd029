/** What a fault rule says, and whether it makes sense. Plain data: a script of rules can be printed and read back. */

/** Which requests: every field that is given has to fit. None given: all of them. */
export interface FaultMatch {
  /** Kafka's name, e.g. "Produce", "Fetch", "OffsetCommit", "EndTxn". */
  readonly api?: string;
  readonly clientId?: string;
  /** Id of the broker that is asked. */
  readonly broker?: number;
  /** A topic that the request names, or that an id in it stands for. */
  readonly topic?: string;
}

/** Before: the request is not applied. After: it is, but its client does not get to know, or later. */
export type FaultMoment = "before" | "after";

/** Bytes of an answer are counted from its length field: 0 to 3 are its length, 4 to 7 its correlation id. */
export type FaultAction =
  /** The connection ends, without an answer. */
  | { readonly kind: "drop"; readonly when: FaultMoment }
  /** A pause of so many milliseconds, or of any number between two; what comes behind on this connection waits too. */
  | { readonly kind: "delay"; readonly when: FaultMoment; readonly ms: number | readonly [number, number] }
  /** The answer is this error, wherever the answer has a place for one. @default when: "before" */
  | { readonly kind: "error"; readonly code: number; readonly when?: FaultMoment }
  /** So many bytes of the answer, then the connection ends. @default at: any */
  | { readonly kind: "cut"; readonly at?: number }
  /** All bits of this byte of the answer are turned over. @default at: any */
  | { readonly kind: "corrupt"; readonly at?: number }
  /** The answer is sent in pieces, one after the other. @default bytes: 1 */
  | { readonly kind: "split"; readonly bytes?: number }
  /** The request is served; then nothing more is read from its connection. @default ms: until the rule is removed */
  | { readonly kind: "stall"; readonly ms?: number }
  /**
   * New connections to the broker are left waiting, as a full process leaves them: neither read nor answered. Without an
   * `on` but for the broker it begins at once, else with the request. @default ms: until the rule is removed
   */
  | { readonly kind: "pause-acceptance"; readonly ms?: number };

/** One thing that goes wrong: when, how often, how likely, and what. */
export interface FaultRule {
  readonly on?: FaultMatch;
  /** The first of the matching requests that it happens to, from 1. @default 1 */
  readonly call?: number;
  /** How often it happens. @default 1 */
  readonly times?: number | "always";
  /** How likely it is for each request from `call` on, 0 to 1; decided by the seed. @default 1 */
  readonly probability?: number;
  readonly do: FaultAction;
}

/** All that it takes to have the same faults again: give it to `startBroker`. */
export interface FaultScript {
  /** A whole number. */
  readonly seed: number;
  readonly rules: readonly FaultRule[];
}

/** A rule that can't be. */
export class FaultRuleError extends Error {
  override readonly name = "FaultRuleError";
  readonly code = "BROKER_FAULT_RULE";
}

/** @throws FaultRuleError with everything that is wrong. */
export function checkRule(rule: FaultRule, apis: readonly string[], brokerIds: readonly number[]): void {
  const { on = {}, call = 1, times = 1, probability = 1 } = rule;
  const problems = [
    on.api !== undefined && !apis.includes(on.api) && `no API "${on.api}" is served, but ${apis.join(", ")}`,
    on.broker !== undefined &&
      !brokerIds.includes(on.broker) &&
      `there is no broker ${on.broker}; the ids are ${brokerIds.join(", ")}`,
    !isCount(call, 1) && `call must be a whole number of at least 1, not ${call}`,
    times !== "always" &&
      !isCount(times, 1) &&
      `times must be a whole number of at least 1, or "always", not ${times}`,
    !(probability >= 0 && probability <= 1) && `probability must be 0 to 1, not ${probability}`,
    ...actionProblems(rule.do),
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw new FaultRuleError(`${JSON.stringify(rule)}: ${problems.join("; ")}`);
}

function actionProblems(action: FaultAction): (string | false)[] {
  switch (action.kind) {
    case "drop":
      return [];
    case "delay": {
      const [least, most] = typeof action.ms === "number" ? [action.ms, action.ms] : action.ms;
      return [
        !(least >= 0 && most >= least) && "ms must be 0 or more, and its minimum not above its maximum",
      ];
    }
    case "error":
      return [
        !Number.isInteger(action.code) && `code must be one of Kafka's error codes, not ${action.code}`,
      ];
    case "cut":
    case "corrupt":
      return [!isCount(action.at ?? 0, 0) && `at must be a byte's position, 0 or more, not ${action.at}`];
    case "split":
      return [
        !isCount(action.bytes ?? 1, 1) && `bytes must be a whole number of at least 1, not ${action.bytes}`,
      ];
    case "stall":
    case "pause-acceptance":
      return [!((action.ms ?? 0) >= 0) && `ms must be 0 or more, not ${action.ms}`];
  }
}

function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}
