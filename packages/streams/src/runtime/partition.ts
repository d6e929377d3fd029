/**
 * The work on one input partition: records in, effects out, window state between. No Kafka and no timers here; the runtime
 * and the test driver share it. What windows have to tell goes its way in `telling.ts`.
 */

import { InvalidRecordError } from "../errors.ts";
import type { IncomingRecord } from "../ports.ts";
import type { Change as LoggedChange, ReadChangelog } from "../state/changelog.ts";
import type { Checkpoint, WindowCheckpoint } from "../state/checkpoint.ts";
import type { Store } from "../state/store.ts";
import type { SourceNode, WindowNode } from "../topology/nodes.ts";
import { concurrencyOf, regroupedTo } from "../topology/nodes.ts";
import type { Change } from "../windows/window-state.ts";
import { Begun } from "./ahead.ts";
import { Attempts, type AttemptsPorts } from "./attempts.ts";
import type { DeadLetterCode } from "./dead-letters.ts";
import { decode, type Readable } from "./decode.ts";
import { type Effects, evaluate, noEffects } from "./evaluate.ts";
import { checkHome, type HomePorts } from "./home.ts";
import { Leaving, type LeavingPorts } from "./leaving.ts";
import { Origins, withoutOrigin } from "./origins.ts";
import { PartitionState } from "./partition-state.ts";
import {
  follow,
  mustNote,
  type PartitionWindow,
  partitionWindowsOf,
  resume,
  standing,
} from "./partition-windows.ts";
import { futureReason, lateReason } from "./reasons.ts";
import { Telling } from "./telling.ts";
import { isProgress, Upstreams } from "./upstreams.ts";

export interface PartitionPorts extends LeavingPorts, AttemptsPorts, HomePorts {
  wallMs(): number;
}

/** What was begun before its turn. */
interface BegunRecord {
  readonly decoded: Readable;
  readonly begun: Begun;
}

/** What is to be committed: everything told of the records before the position is with Kafka by then. */
export interface Note {
  readonly position: number;
  readonly checkpoint: Checkpoint;
  /** How often changes of state had been collected, see {@link PartitionState}. */
  readonly collected: number;
}

export interface PartitionOptions {
  readonly source: SourceNode;
  readonly partition: number;
  /** The next record to process. */
  readonly position: number;
  /** Names this life of the work like no other: in its checkpoints, and in what it writes into changelogs. */
  readonly owner: string;
  readonly ports: PartitionPorts;
  /** Added to offsets to make revisions: see {@link Checkpoint}. @default 0 */
  readonly revisionBase?: number;
}

/**
 * A step of the clock that no record made, and that decides what a session is, or which results there are to be counted:
 * where it is forgotten, whoever comes next may decide differently. So nothing leaves that was made after it until it is
 * noted.
 */
type Step = Note;

const NONE: readonly PartitionWindow[] = [];

export class Partition {
  readonly #source: SourceNode;
  readonly #owner: string;
  readonly #ports: PartitionPorts;
  readonly #windows: PartitionWindow[];
  /** The next record to process. */
  #position: number;
  #last: IncomingRecord;
  #eventTimeMs: number | undefined;
  #revisionBase: number;
  #step: Step | undefined;
  /** Of a repartition topic: what was given by whom. */
  #origins = new Origins();
  #upstreams = new Upstreams();
  /** For how many records functions may run at once. */
  readonly concurrency: number;
  /** The topics in which its records continue under another key. */
  readonly regroupedTo: readonly string[];
  readonly #begun = new Map<number, BegunRecord>();
  readonly #state: PartitionState;
  readonly #leaving: Leaving;
  readonly #attempts: Attempts;
  readonly #telling: Telling;

  constructor({ source, partition, position, owner, ports, revisionBase = 0 }: PartitionOptions) {
    this.#source = source;
    this.#owner = owner;
    this.#revisionBase = revisionBase;
    this.#ports = ports;
    this.#position = position;
    this.#last = nothing(source.topic.name, partition, position);
    this.concurrency = concurrencyOf(source);
    this.regroupedTo = regroupedTo(source);
    this.#leaving = new Leaving(ports);
    this.#windows = partitionWindowsOf(source);
    this.#state = new PartitionState(source, this.#windows, owner);
    this.#attempts = new Attempts(ports, this.#leaving);
    this.#telling = new Telling({
      windows: this.#windows,
      stores: this.#state.stores,
      ports,
      leaving: this.#leaving,
      attempts: this.#attempts,
    });
  }

  /** The next record to process. */
  get position(): number {
    return this.#position;
  }

  /** Event time of the record that came last, the one in work included; undefined before the first. */
  get eventTimeMs(): number | undefined {
    return this.#eventTimeMs;
  }

  get revisionBase(): number {
    return this.#revisionBase;
  }

  get hasWindows(): boolean {
    return this.#windows.length > 0;
  }

  /** By their names. */
  get stores(): ReadonlyMap<string, Store> {
    return this.#state.stores;
  }

  /** Up to where its records have come; minus infinity before the first. */
  get reachedMs(): number {
    return this.#state.reachedMs;
  }

  /** The names of its stores and windows; each has a changelog. */
  get states(): readonly string[] {
    return this.#state.names;
  }

  /** Whether anything is kept from one record to the next. */
  get isStateful(): boolean {
    return this.#state.names.length > 0;
  }

  /** Event time reached, the slowest window's; undefined before the first record. */
  get clockMs(): number | undefined {
    const clocks = this.#windows.map(({ clock }) => clock.valueMs).filter((value) => value !== undefined);
    return clocks.length === 0 ? undefined : Math.min(...clocks);
  }

  get paneCount(): number {
    return this.#windows.reduce((sum, { state }) => sum + state.size, 0);
  }

  /** What windows and stores keep. */
  get valueCount(): number {
    return this.paneCount + [...this.stores.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Changes whenever a note would. */
  get version(): string {
    const progress = this.#windows.map(({ state }) => state.progress ?? "");
    return `${this.#step?.position ?? this.#position} ${this.#step === undefined} ${progress.join(" ")}`;
  }

  /**
   * Takes up what another life of the pipeline noted; what it kept then follows by `load`, from each changelog.
   *
   * The other life may have told results after its last note. They are told again, from records that reach at least as
   * far, so under revisions at least as high: readers who keep the highest, and of equal ones the later, end up with ours.
   */
  restore(checkpoint: Checkpoint): void {
    this.#revisionBase = checkpoint.revisionBase;
    this.#state.restore(checkpoint);
    this.#origins = Origins.decode(checkpoint.origins);
    this.#upstreams = Upstreams.decode(checkpoint.behind?.upstreams ?? {});
    for (const window of this.#windows) {
      const noted = checkpoint.windows.get(window.node.name);
      if (noted === undefined) continue;
      resume(window, noted);
      window.clock.limit(this.#upstreams.limitMs);
      const { seenMs = 0 } = checkpoint.behind ?? {};
      if (seenMs > 0) window.clock.record(seenMs, Number.POSITIVE_INFINITY);
    }
  }

  /**
   * Takes up what the changelog of a store or window holds, behind `restore`, a piece at a time. Returns how many of its
   * blocks count.
   */
  load(state: string, changelog: ReadChangelog): Generator<void, number> {
    return this.#state.load(state, changelog);
  }

  /** Where the work stands, with what changed of stores and windows: to be with Kafka before the note, or with it. */
  takeNews(): { note: Note; changes: LoggedChange[] } {
    // What came behind the step is of the commit after it.
    if (this.#step === undefined) this.#state.collect();
    return { changes: this.#state.take(), note: this.#step ?? this.#note() };
  }

  /** The note is committed. */
  noted(note: Note): void {
    this.#state.noted(note.collected);
    if (note !== this.#step) return;
    this.#step = undefined;
    this.#leaving.release();
  }

  #note(): Note {
    return { position: this.#position, checkpoint: this.checkpoint(), collected: this.#state.collected };
  }

  /** What was collected last, and what is not in it. */
  checkpoint(): Checkpoint {
    const windows = new Map<string, WindowCheckpoint>();
    for (const window of this.#windows) windows.set(window.node.name, standing(window));
    return {
      owner: this.#owner,
      revisionBase: this.#revisionBase,
      windows,
      ...this.#state.ended,
      origins: this.#origins.encode(),
      ...(this.#upstreams.limitMs !== Number.POSITIVE_INFINITY && {
        behind: {
          upstreams: this.#upstreams.encode(),
          seenMs: Math.max(0, ...this.#windows.map(({ clock }) => clock.seenMs)),
        },
      }),
    };
  }

  /** Processes the next record. Throws because of the record only if the policy is "fail". */
  process(given: IncomingRecord): void | Promise<void> {
    if (this.#isRepartition && isProgress(given)) return this.#hear(given);
    this.#ports.numbers.count("records_in", given.topic);
    const record = this.#isRepartition ? withoutOrigin(given) : given;
    const begun = this.#begun.get(given.offset);
    if (this.#isRepartition && this.#origins.isRepeated(given)) return this.#repeated(record);
    const decoded = begun?.decoded ?? decode(this.#source, record);
    if (!decoded.ok) {
      const { onInvalid } = this.#ports.policy;
      if (onInvalid === "fail") throw new InvalidRecordError(record, decoded.problems);
      this.#leaving.putAside(onInvalid, record, "undecodable", { reason: decoded.problems.join("; ") });
      return this.#done(given);
    }
    const { context } = decoded;
    if (this.#windows.length > 0) checkHome(context, this.#ports);
    this.#last = record;
    this.#eventTimeMs = context.timestampMs;
    const wallMs = this.#ports.wallMs();
    this.#state.reach(context.timestampMs, wallMs);
    const future = this.#reach(context.timestampMs, wallMs);
    const told = this.#tellDue();
    const work = () => this.#counted(record, decoded, future, begun?.begun);
    const done = told === undefined ? work() : told.then(work);
    return done === undefined ? this.#done(given) : done.then(() => this.#done(given));
  }

  /** Event time has come so far; returns the windows that are told so by a record that lies too far ahead. */
  #reach(timestampMs: number, wallMs: number): readonly PartitionWindow[] {
    let future = NONE;
    for (const window of this.#windows) {
      if (window.clock.record(timestampMs, wallMs)) follow(window, window.clock.raisedMs);
      else future = [...future, window];
    }
    return future;
  }

  #counted(
    record: IncomingRecord,
    decoded: Readable,
    future: readonly PartitionWindow[],
    begun: Begun | undefined,
  ): void | Promise<void> {
    let first = begun;
    return this.#attempts.make(record, () => {
      const ahead = first;
      first = undefined;
      return this.#work(record, decoded, future, ahead);
    });
  }

  hasBegun({ offset }: IncomingRecord): boolean {
    return this.#begun.has(offset);
  }

  /**
   * Calls the functions of a record that is to be processed later, up to what has to wait for its turn. False where there
   * is no room for it.
   */
  begin(given: IncomingRecord): boolean {
    if (this.#begun.has(given.offset)) return true;
    if (this.#begun.size >= this.concurrency) return false;
    if (this.#isRepartition && (isProgress(given) || this.#origins.isRepeated(given))) return true;
    const decoded = decode(this.#source, this.#isRepartition ? withoutOrigin(given) : given);
    if (!decoded.ok) return true;
    const { value, context } = decoded;
    const sequence = this.#revision(given.offset);
    const begun = new Begun(noEffects(this.#state.stores), (effects, turn) =>
      evaluate(this.#source.next, value, context, effects, { sequence, turn }),
    );
    this.#begun.set(given.offset, { decoded, begun });
    return true;
  }

  /** Up to where nothing is to be had: no record, but a part of the log that is not for readers (transaction markers). */
  skipTo(position: number): void {
    this.#position = Math.max(this.#position, position);
  }

  /** Time has passed, by a clock that does not step. */
  elapse(elapsedMs: number, isCaughtUp: boolean): void | Promise<void> {
    if (this.#windows.length === 0) return;
    const stepping: PartitionWindow[] = [];
    for (const window of this.#windows) {
      const { clock } = window;
      clock.elapse(elapsedMs, isCaughtUp);
      if (clock.valueMs === undefined) continue;
      const isToNote = mustNote(window, clock.valueMs);
      if (isToNote === undefined) follow(window, clock.valueMs);
      else if (isToNote && this.#step === undefined) stepping.push(window);
    }
    if (stepping.length === 0) return this.#tellDue();
    // What the others have to tell is told before, so that it is not held.
    const others = this.#tellDue();
    const step = () => {
      for (const window of stepping) follow(window, window.clock.valueMs);
      this.#state.collect();
      this.#step = this.#note();
      this.#leaving.hold();
      return this.#tellDue();
    };
    return others === undefined ? step() : others.then(step);
  }

  get #isRepartition(): boolean {
    return this.#source.repartition !== undefined;
  }

  /** It was processed already: an upstream partition that was taken over gave it again. */
  #repeated(record: IncomingRecord): void {
    this.#ports.numbers.count("records_repeated", record.topic);
    this.#done(record);
  }

  /** An upstream partition says how far it is. */
  #hear(record: IncomingRecord): void | Promise<void> {
    this.#upstreams.take(record);
    for (const window of this.#windows) {
      window.clock.limit(this.#upstreams.limitMs);
      follow(window, window.clock.raisedMs);
    }
    this.#position = record.offset + 1;
    return this.#tellDue();
  }

  #done(record: IncomingRecord): void {
    if (this.#isRepartition) this.#origins.take(record);
    this.#begun.delete(record.offset);
    this.#position = record.offset + 1;
  }

  /** What is told now holds the records before the given offset. */
  #revision(beforeOffset: number): number {
    return this.#revisionBase + beforeOffset;
  }

  #work(
    record: IncomingRecord,
    { value, context }: Readable,
    future: readonly PartitionWindow[],
    begun: Begun | undefined,
  ): void | Promise<void> {
    const effects = begun?.effects ?? noEffects(this.#state.stores);
    const sequence = this.#revision(record.offset);
    const done =
      begun === undefined ? evaluate(this.#source.next, value, context, effects, { sequence }) : begun.end();
    if (done === undefined) return this.#settle(record, effects, future);
    return done.then(() => this.#settle(record, effects, future));
  }

  /** Everything of the record has gone well: now it counts. */
  #settle(
    record: IncomingRecord,
    effects: Effects,
    future: readonly PartitionWindow[],
  ): void | Promise<void> {
    if (effects.windows.length === 0) {
      effects.states.apply();
      return this.#leaving.leave(effects, record);
    }
    const prepared: { window: PartitionWindow; change: Change }[] = [];
    let refused: { code: DeadLetterCode; reason: string } | undefined;
    for (const { node, values, context } of effects.windows) {
      const window = this.#windowOf(node);
      if (window === undefined) continue;
      if (future.includes(window)) {
        refused ??= { code: "future", reason: futureReason(context.timestampMs, node) };
      } else if (window.state.isLate(context.key, context.timestampMs)) {
        refused ??= { code: "late", reason: lateReason(context.timestampMs, node) };
      } else {
        prepared.push({ window, change: window.state.prepare(context.key, context.timestampMs, values) });
      }
    }
    // No function of a user runs from here on until the record counts: it counts in all its windows and stores or in none.
    effects.states.apply();
    const changed = prepared.map(({ window, change }) => ({
      window,
      told: change.apply(this.#revision(record.offset + 1)),
    }));
    for (const { window, told } of changed) {
      if (window.node.shape.kind !== "trailing") continue;
      for (const _ of told) this.#ports.numbers.count("results_revised");
    }
    this.#leaving.leave(effects, record);
    if (refused !== undefined) this.#leaving.putAside("dead-letter", record, refused.code, refused);
    let telling: Promise<void> | undefined;
    for (const { window, told } of changed) {
      if (told.length === 0) continue;
      const tell = () => this.#telling.results(window, told, record);
      if (telling !== undefined) telling = telling.then(tell);
      else telling = tell() ?? undefined;
    }
    return telling;
  }

  /** Tells what event time has made due. */
  #tellDue(): void | Promise<void> {
    return this.#telling.due(this.#last, this.#revision(this.#position));
  }

  #windowOf(node: WindowNode): PartitionWindow | undefined {
    return this.#windows.find((window) => window.node === node);
  }
}

function nothing(topic: string, partition: number, offset: number): IncomingRecord {
  return { topic, partition, offset, key: null, value: null, timestampMs: 0, headers: {} };
}
