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
import { type Block, BlockLog, type Item, type Logged, NOWHERE } from "../state/block-log.ts";
import type { SessionWindowShape } from "../topology/nodes.ts";
import { shapeNameOf } from "../topology/window-shapes.ts";
import { ClosingLine } from "./closing-line.ts";
import { type Change, type Told, told, type Untold, type WindowState } from "./window-state.ts";

interface Session {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly accumulators: Accumulators;
  isTold: boolean;
}

/** The sessions of one key, ascending. Closed ones are remembered for as long as a record that is not late may belong to them. */
interface Kept extends Item {
  readonly key: string;
  sessions: readonly Session[];
  block: Block;
}

export class SessionWindows implements WindowState, Logged<Kept> {
  readonly isMadeByRecords = true;
  readonly signature: string;
  readonly log: BlockLog<Kept> = new BlockLog(this);
  readonly #shape: SessionWindowShape;
  readonly #several: Several;
  readonly #keys = new Map<string, Kept>();
  /** When sessions close, and when they are forgotten. */
  readonly #line: ClosingLine;
  readonly #forgetting = new Set<string>();
  #size = 0;

  constructor(shape: SessionWindowShape, aggregates: Aggregates<unknown>) {
    this.#shape = shape;
    this.#line = new ClosingLine(shape.graceMs);
    this.#several = new Several(aggregates);
    this.signature = shapeNameOf(shape, aggregates);
  }

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get progress(): number {
    return this.#line.progress;
  }

  restore(clockMs: number | undefined): void {
    this.#line.restore(clockMs);
  }

  isLate(key: string, timestampMs: number): boolean {
    if (this.#isClosed(timestampMs)) return true;
    return this.#touched(key, timestampMs).some(({ lastMs }) => this.#isClosed(lastMs));
  }

  prepare(key: string, timestampMs: number, values: readonly unknown[]): Change {
    const joined = this.#joined(key, timestampMs, values);
    return {
      apply: (revision) => {
        this.#put(key, joined);
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
    return this.#line.isDue(clockMs);
  }

  /** Of each key in the order in which they close. */
  advance(clockMs: number, revision: number): (Told | Untold)[] {
    const closing: (Told | Untold)[] = [];
    for (const { key } of this.#line.advance(clockMs)) {
      for (const session of this.#sessionsOf(key)) {
        if (session.isTold || this.#closesMs(session) > this.#line.closedMs) continue;
        session.isTold = true;
        if (this.#shape.tells === "final") closing.push(this.#tell(key, session, revision));
      }
      this.#forgetting.add(key);
    }
    return closing;
  }

  forget(): void {
    for (const key of this.#forgetting) {
      const kept = this.#keys.get(key);
      if (kept === undefined) continue;
      this.#keep(
        key,
        kept.sessions.filter((session) => this.#forgetsMs(session) > this.#line.closedMs),
      );
      if (kept.sessions.length > 0) continue;
      this.#keys.delete(key);
      this.log.gone(kept);
    }
    this.#forgetting.clear();
  }

  entryOf({ key, sessions }: Kept): string {
    const each = sessions.map(
      ({ firstMs, lastMs, accumulators }) => `[${firstMs},${lastMs},${this.#several.encode(accumulators)}]`,
    );
    return `[${JSON.stringify(key)},[${each.join(",")}]]`;
  }

  /** Those that were closed were told, and of those that can be forgotten there may be some still. */
  load(entry: unknown): Kept | undefined {
    if (!Array.isArray(entry)) return undefined;
    const [key, list]: unknown[] = entry;
    if (typeof key !== "string" || !Array.isArray(list)) return undefined;
    const sessions = list
      .flatMap((each: unknown) => this.#sessionOf(each) ?? [])
      .filter((session) => this.#forgetsMs(session) > this.#line.closedMs);
    const known = this.#keys.get(key);
    if (sessions.length === 0 && known === undefined) return undefined;
    const kept = this.#keep(key, sessions);
    if (sessions.length === 0) this.#forgetting.add(key);
    for (const session of sessions) this.#expect(key, session);
    return kept;
  }

  #sessionOf(entry: unknown): Session | undefined {
    if (!Array.isArray(entry)) return undefined;
    const [firstMs, lastMs, list]: unknown[] = entry;
    const accumulators = this.#several.decode(list);
    if (typeof firstMs !== "number" || typeof lastMs !== "number" || accumulators === undefined)
      return undefined;
    return { firstMs, lastMs, accumulators, isTold: this.#closesMs({ lastMs }) <= this.#line.closedMs };
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

  #put(key: string, { touched, firstMs, lastMs, accumulators }: Joined): void {
    const joined: Session = { firstMs, lastMs, accumulators, isTold: false };
    const others = this.#sessionsOf(key).filter((each) => !touched.includes(each));
    const at = others.findIndex((each) => each.firstMs > lastMs);
    this.log.changed(this.#keep(key, at < 0 ? [...others, joined] : others.toSpliced(at, 0, joined)));
    if (!touched.some((each) => each.lastMs === lastMs)) this.#expect(key, joined);
  }

  /** Time will close the session, and let it be forgotten. */
  #expect(key: string, session: Session): void {
    if (this.#shape.tells === "final" && !session.isTold) this.#line.expect(this.#closesMs(session), key);
    this.#line.expect(this.#forgetsMs(session), key);
  }

  #sessionsOf(key: string): readonly Session[] {
    return this.#keys.get(key)?.sessions ?? [];
  }

  #touched(key: string, timestampMs: number): Session[] {
    const { gapMs } = this.#shape;
    return this.#sessionsOf(key).filter(
      ({ firstMs, lastMs }) => lastMs >= timestampMs - gapMs && firstMs <= timestampMs + gapMs,
    );
  }

  #keep(key: string, sessions: readonly Session[]): Kept {
    const kept = this.#keys.get(key) ?? { key, sessions: [], block: NOWHERE };
    this.#size += sessions.length - kept.sessions.length;
    kept.sessions = sessions;
    this.#keys.set(key, kept);
    return kept;
  }

  #tell(
    key: string,
    session: Pick<Session, "firstMs" | "lastMs" | "accumulators">,
    revision: number,
  ): Told | Untold {
    return told(identity(key, session, revision), () => this.#several.result(session.accumulators));
  }

  #isClosed(lastMs: number): boolean {
    return lastMs + this.#shape.gapMs < this.#line.closedMs;
  }

  /** The clock less grace at which it is closed. */
  #closesMs({ lastMs }: Pick<Session, "lastMs">): number {
    return lastMs + this.#shape.gapMs + 1;
  }

  /** From here on a record that belongs to it is too late for itself. */
  #forgetsMs({ lastMs }: Pick<Session, "lastMs">): number {
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
