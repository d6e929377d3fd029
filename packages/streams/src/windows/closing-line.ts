/**
 * The line up to which windows are closed (see window-state.ts), and what is to be done for which key when it gets there: of
 * windows whose bounds are made by records, so that no clock can count them.
 */
import { type Due, DueQueue } from "./due-queue.ts";

export class ClosingLine {
  readonly #graceMs: number;
  readonly #due = new DueQueue();
  #closedMs = Number.NEGATIVE_INFINITY;
  #progress = 0;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Windows that end here or before are closed. */
  get closedMs(): number {
    return this.#closedMs;
  }

  /** Grows with everything that has become due. */
  get progress(): number {
    return this.#progress;
  }

  /** Goes on where all was told that event time had made due up to `clockMs`. */
  restore(clockMs: number | undefined): void {
    if (clockMs !== undefined) this.#closedMs = clockMs - this.#graceMs;
  }

  /** Something is due for the key when windows that end at `atMs` are closed. */
  expect(atMs: number, key: string): void {
    this.#due.put(atMs, key);
  }

  isDue(clockMs: number): boolean {
    return this.#due.nextMs <= clockMs - this.#graceMs;
  }

  /** Event time has come to `clockMs`: gives what that makes due, the earliest first. */
  *advance(clockMs: number): Generator<Due, void> {
    this.#closedMs = Math.max(this.#closedMs, clockMs - this.#graceMs);
    for (let due = this.#due.take(this.#closedMs); due !== undefined; due = this.#due.take(this.#closedMs)) {
      this.#progress++;
      yield due;
    }
  }
}
