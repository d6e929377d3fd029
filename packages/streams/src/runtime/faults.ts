/** What becomes of a record on which a function of the pipeline throws: retried, dead-lettered, skipped, or fatal. */
import type { OnFailure, StepPolicy } from "../topology/step.ts";

/** What the app says; a step may say otherwise for itself. */
export interface FailurePolicy {
  /** How often a record is tried in all. */
  readonly attempts: number;
  /** Before the second try; doubled for each further one, up to a minute. */
  readonly backoffMs: number;
  readonly onFailure: OnFailure;
  /** Of records that do not fit their topic's schema; they are tried once. */
  readonly onInvalid: OnFailure;
}

/** An error with the step whose function threw it. Never leaves the runtime. */
export class StepFault extends Error {
  override readonly name = "StepFault";
  readonly step: string;
  readonly policy: StepPolicy;
  override readonly cause: unknown;

  constructor(step: string, policy: StepPolicy, cause: unknown) {
    super(`A function of the step "${step}" threw.`);
    this.step = step;
    this.policy = policy;
    this.cause = cause;
  }
}

export type Verdict =
  | { readonly kind: "again"; readonly waitMs: number }
  | {
      readonly kind: OnFailure;
      readonly reason: string;
      readonly step: string | undefined;
      readonly cause: unknown;
    };

const WAIT_MS_MAX = 60_000;

export function verdictOf(thrown: unknown, attempt: number, policy: FailurePolicy): Verdict {
  const fault = thrown instanceof StepFault ? thrown : undefined;
  const { attempts, backoffMs, onFailure } = { ...policy, ...fault?.policy };
  if (attempt < attempts) return { kind: "again", waitMs: waitMs(attempt, backoffMs) };
  const cause = fault === undefined ? thrown : fault.cause;
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return { kind: onFailure, reason, step: fault?.step, cause };
}

function waitMs(attempt: number, backoffMs: number): number {
  return Math.min(WAIT_MS_MAX, backoffMs * 2 ** (attempt - 1));
}

/** How long a record that fails each time waits between its tries in all. */
export function waitsMs({ attempts, backoffMs }: Pick<FailurePolicy, "attempts" | "backoffMs">): number {
  let sumMs = 0;
  for (let attempt = 1; attempt < attempts; attempt++) sumMs += waitMs(attempt, backoffMs);
  return sumMs;
}
