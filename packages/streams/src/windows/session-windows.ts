/**
 * Sessions: the records of a key between two silences longer than `gap`. Two records that are at most `gap` apart are in
 * one session; a record between two sessions makes them one.
 *
 * Closed and late are what window-state.ts says, with a difference, as a session has no end before it is over: it ends
 * where its last record and the gap have passed, and a record is late also when it belongs to a closed session, even where it
 * would join that to an open one. So each record is in one session or refused, sessions depend on the records that count
 * and not on their order, and what was told of a closed session stays true.
 */
import type { Aggregates } from "../aggregates/aggregate.ts";
import { type Accumulators, Several } from "../aggregates/several.ts";
import type { SessionWindowShape } from "../topology/nodes.ts";
import { DueQueue } from "./due-queue.ts";
import { type Change, type Told, told, type Untold, type WindowState } from "./window-state.ts";

interface Session {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly accumulators: Accumulators;
  readonly offsetMin: number;
  isTold: boolean;
}

export class SessionWindows implements WindowState {
  readonly #shape: SessionWindowShape;
  readonly #several: Several;
  /** Of each key, ascending. Closed ones are remembered for as long as a record that is not late may belong to them. */
  readonly #sessions = new Map<string, readonly Session[]>();
  /** When sessions close, and when they are forgotten. */
  readonly #due = new DueQueue();
  readonly #forgetting = new Set<string>();
  #size = 0;
  #closedMs = Number.NEGATIVE_INFINITY;
  #progress = 0;
  /** Where a rebuild began, until it is over. */
  #restoredMs: number | undefined;

  constructor(shape: SessionWindowShape, aggregates: Aggregates<unknown>) {
    this.#shape = shape;
    this.#several = new Several(aggregates);
  }

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get offsetMin(): number | undefined {
    let least: number | undefined;
    for (const sessions of this.#sessions.values()) {
      for (const { offsetMin } of sessions) if (least === undefined || offsetMin < least) least = offsetMin;
    }
    return least;
  }

  get progress(): number {
    return this.#progress;
  }

  restore(clockMs: number | undefined): void {
    if (clockMs === undefined) return;
    this.#closedMs = clockMs - this.#shape.graceMs;
    this.#restoredMs = this.#closedMs;
  }

  rebuild(key: string, timestampMs: number, values: readonly unknown[], offset: number): void {
    // Also what is long closed: it may be the beginning of a session that is not.
    this.#put(key, this.#joined(key, timestampMs, values), offset);
  }

  isLate(key: string, timestampMs: number): boolean {
    if (this.#isClosed(timestampMs)) return true;
    return this.#touched(key, timestampMs).some(({ lastMs }) => this.#isClosed(lastMs));
  }

  prepare(key: string, timestampMs: number, values: readonly unknown[]): Change {
    const joined = this.#joined(key, timestampMs, values);
    return {
      apply: (offset, revision) => {
        this.#put(key, joined, offset);
        if (this.#shape.tells === "final") return [];
        const { touched, firstMs, lastMs, accumulators } = joined;
        const isGone = (each: Session) => each.firstMs !== firstMs || each.lastMs !== lastMs;
        const gone = touched
          .filter(isGone)
          .map((each) => ({ ...identity(key, each, revision), value: null }));
        return [...gone, this.#tell(key, { firstMs, lastMs, accumulators }, revision)];
      },
    };
  }

  isDue(clockMs: number): boolean {
    return this.#due.nextMs <= clockMs - this.#shape.graceMs;
  }

  /** Of each key in the order in which they close. */
  advance(clockMs: number, revision: number): (Told | Untold)[] {
    this.#afterRebuild();
    this.#closedMs = Math.max(this.#closedMs, clockMs - this.#shape.graceMs);
    const closing: (Told | Untold)[] = [];
    for (let due = this.#due.take(this.#closedMs); due !== undefined; due = this.#due.take(this.#closedMs)) {
      this.#progress++;
      const { key } = due;
      for (const session of this.#sessions.get(key) ?? []) {
        if (session.isTold || this.#closesMs(session) > this.#closedMs) continue;
        session.isTold = true;
        if (this.#shape.tells === "final") closing.push(this.#tell(key, session, revision));
      }
      this.#forgetting.add(key);
    }
    return closing;
  }

  forget(): void {
    for (const key of this.#forgetting) {
      this.#keep(key, (session) => this.#forgetsMs(session) > this.#closedMs);
    }
    this.#forgetting.clear();
  }

  /** What was read again of sessions that were forgotten goes; those that were closed were told. */
  #afterRebuild(): void {
    const closedMs = this.#restoredMs;
    if (closedMs === undefined) return;
    this.#restoredMs = undefined;
    for (const [key, sessions] of this.#sessions) {
      for (const session of sessions) if (this.#closesMs(session) <= closedMs) session.isTold = true;
      this.#keep(key, (session) => this.#forgetsMs(session) > closedMs);
    }
  }

  /** The session that the record would make of those that it touches. */
  #joined(key: string, timestampMs: number, values: readonly unknown[]): Joined {
    const touched = this.#touched(key, timestampMs);
    let accumulators: Accumulators | undefined;
    for (const session of touched) accumulators = this.#several.merge(accumulators, session.accumulators);
    return {
      touched,
      firstMs: Math.min(timestampMs, touched[0]?.firstMs ?? timestampMs),
      lastMs: Math.max(timestampMs, touched.at(-1)?.lastMs ?? timestampMs),
      accumulators: this.#several.add(accumulators, values, timestampMs),
    };
  }

  #put(key: string, { touched, firstMs, lastMs, accumulators }: Joined, offset: number): void {
    const offsetMin = Math.min(offset, ...touched.map((each) => each.offsetMin));
    const joined: Session = { firstMs, lastMs, accumulators, offsetMin, isTold: false };
    const others = (this.#sessions.get(key) ?? []).filter((each) => !touched.includes(each));
    const at = others.findIndex((each) => each.firstMs > lastMs);
    const sessions = at < 0 ? [...others, joined] : others.toSpliced(at, 0, joined);
    this.#sessions.set(key, sessions);
    this.#size += 1 - touched.length;
    if (touched.some((each) => each.lastMs === lastMs)) return;
    if (this.#shape.tells === "final") this.#due.put(this.#closesMs(joined), key);
    this.#due.put(this.#forgetsMs(joined), key);
  }

  #touched(key: string, timestampMs: number): Session[] {
    const { gapMs } = this.#shape;
    return (this.#sessions.get(key) ?? []).filter(
      ({ firstMs, lastMs }) => lastMs >= timestampMs - gapMs && firstMs <= timestampMs + gapMs,
    );
  }

  #keep(key: string, isKept: (session: Session) => boolean): void {
    const sessions = this.#sessions.get(key) ?? [];
    const kept = sessions.filter(isKept);
    this.#size -= sessions.length - kept.length;
    if (kept.length > 0) this.#sessions.set(key, kept);
    else this.#sessions.delete(key);
  }

  #tell(
    key: string,
    session: Pick<Session, "firstMs" | "lastMs" | "accumulators">,
    revision: number,
  ): Told | Untold {
    return told(identity(key, session, revision), () => this.#several.result(session.accumulators));
  }

  #isClosed(lastMs: number): boolean {
    return lastMs + this.#shape.gapMs < this.#closedMs;
  }

  /** The clock less grace at which it is closed. */
  #closesMs({ lastMs }: Session): number {
    return lastMs + this.#shape.gapMs + 1;
  }

  /** From here on a record that belongs to it is too late for itself. */
  #forgetsMs({ lastMs }: Session): number {
    return lastMs + 2 * this.#shape.gapMs + 1;
  }
}

interface Joined {
  readonly touched: readonly Session[];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly accumulators: Accumulators;
}

function identity(key: string, { firstMs, lastMs }: Pick<Session, "firstMs" | "lastMs">, revision: number) {
  return { key, startMs: firstMs, endMs: lastMs + 1, revision };
}
