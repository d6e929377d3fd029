/** Work on a record that may throw: tried as often as the policy says, then given up for this record alone. */
import { ProcessingError } from "../errors.ts";
import type { IncomingRecord } from "../ports.ts";
import type { DeadLetterCode } from "./dead-letters.ts";
import { type FailurePolicy, verdictOf } from "./faults.ts";
import type { Leaving } from "./leaving.ts";
import type { Numbers } from "./numbers.ts";

export interface AttemptsPorts {
  readonly numbers: Numbers;
  /** What to do with records that fail. */
  readonly policy: FailurePolicy;
  /** Waits before a record is tried again; not at all where it returns nothing. */
  backoff(waitMs: number): Promise<void> | undefined;
}

/** What is tried: a record, or what would be one. */
export type Subject = IncomingRecord | (() => IncomingRecord);

export class Attempts {
  readonly #ports: AttemptsPorts;
  readonly #leaving: Leaving;

  constructor(ports: AttemptsPorts, leaving: Leaving) {
    this.#ports = ports;
    this.#leaving = leaving;
  }

  /**
   * Tries the work; when all attempts have failed the record is dead-lettered or skipped with the code, and processing continues.
   *
   * @throws ProcessingError where the policy is to fail
   */
  make(
    record: Subject,
    work: () => void | Promise<void>,
    code: DeadLetterCode = "failed",
    attempt = 1,
  ): void | Promise<void> {
    try {
      return work()?.catch((error: unknown) => this.#again(record, work, code, attempt, error));
    } catch (error) {
      return this.#again(record, work, code, attempt, error);
    }
  }

  #again(
    record: Subject,
    work: () => void | Promise<void>,
    code: DeadLetterCode,
    attempt: number,
    thrown: unknown,
  ): void | Promise<void> {
    const verdict = verdictOf(thrown, attempt, this.#ports.policy);
    if (verdict.kind !== "again") {
      const failed = typeof record === "function" ? record() : record;
      if (verdict.kind === "fail") throw new ProcessingError(failed, verdict);
      return this.#leaving.putAside(verdict.kind, failed, code, verdict);
    }
    this.#ports.numbers.count("records_retried");
    const next = () => this.make(record, work, code, attempt + 1);
    const waited = this.#ports.backoff(verdict.waitMs);
    return waited === undefined ? next() : waited.then(next);
  }
}
