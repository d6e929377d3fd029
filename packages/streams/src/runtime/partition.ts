/**
 * The work on one input partition: records in, effects out, window state between. No Kafka and no timers here; the runtime
 * and the test driver share it.
 */
import { messageOf } from "../errors.ts";
import type { Headers, IncomingRecord, OutgoingRecord } from "../ports.ts";
import type { Checkpoint, WindowCheckpoint } from "../state/checkpoint.ts";
import { OffsetSet } from "../state/offset-set.ts";
import { durationText } from "../topology/duration.ts";
import type { RecordContext, SourceNode, WindowNode } from "../topology/nodes.ts";
import { windowsOf } from "../topology/nodes.ts";
import { StreamClock } from "../windows/stream-clock.ts";
import {
  type Change,
  latenessOf,
  type Told,
  type Untold,
  type WindowState,
} from "../windows/window-state.ts";
import { windowStateOf } from "../windows/window-state-of.ts";
import { type DeadLetterCode, deadLetterOf } from "./dead-letters.ts";
import { type Effects, evaluate } from "./evaluate.ts";
import type { Numbers } from "./numbers.ts";
import { Origins, withoutOrigin } from "./origins.ts";

/** The headers of a window's result. */
export const resultHeaders = {
  /** app/window/key/end, of sessions app/window/key/start-end: two tellings of one result have the same. */
  id: "kelvin-result-id",
  revision: "kelvin-revision",
  /** Milliseconds since the epoch, inclusive. */
  start: "kelvin-window-start",
  /** Milliseconds since the epoch, exclusive. */
  end: "kelvin-window-end",
} as const;

export interface PartitionPorts {
  readonly app: string;
  readonly numbers: Numbers;
  wallMs(): number;
  /** Hands a record on; `origin` is what it came of, for the dead letters should Kafka refuse it. */
  emit(record: OutgoingRecord, origin: IncomingRecord): void;
  print(label: string, value: unknown, context: RecordContext): void;
  /** Waits before a record is tried again; not at all where it returns nothing. */
  backoff(attempt: number): Promise<void> | undefined;
  /** How often a record is tried in all. */
  readonly attempts: number;
  warn(fields: object, message: string): void;
  /** Whether records of the key belong into this partition; undefined where there is only one. */
  readonly isHome?: ((key: string) => boolean) | undefined;
}

type DecodedRecord =
  | { readonly ok: true; readonly value: unknown; readonly context: RecordContext }
  | { readonly ok: false; readonly problems: readonly string[] };

interface Window {
  readonly node: WindowNode;
  clock: StreamClock;
  /** How far its state has followed the clock. */
  reachedMs: number | undefined;
  /** How far what that made due has been told. */
  toldMs: number | undefined;
  readonly state: WindowState;
  uncounted: OffsetSet;
}

/** What is to be committed: everything told of the records before the position is with Kafka by then. */
export interface Note {
  readonly position: number;
  readonly checkpoint: Checkpoint;
}

/**
 * A step of the clock that no record made, and that decides what a session is: where it is forgotten, whoever comes next
 * may decide differently. So nothing leaves that was made after it until it is noted.
 */
interface Step {
  readonly position: number;
  readonly checkpoint: Omit<Checkpoint, "owner">;
  readonly held: (() => void)[];
}

export class Partition {
  readonly #source: SourceNode;
  readonly #ports: PartitionPorts;
  readonly #windows: Window[];
  /** The next record to work on. */
  #position: number;
  #last: IncomingRecord;
  #revisionBase: number;
  #step: Step | undefined;
  /** Of a repartition topic: what was given by whom. */
  #origins = new Origins();

  /** `revisionBase` is added to offsets to make revisions: see {@link Checkpoint}. */
  constructor(
    source: SourceNode,
    partition: number,
    position: number,
    ports: PartitionPorts,
    revisionBase = 0,
  ) {
    this.#source = source;
    this.#revisionBase = revisionBase;
    this.#ports = ports;
    this.#position = position;
    this.#last = nothing(source.topic.name, partition, position);
    this.#windows = windowsOf(source).map((node) => ({
      node,
      clock: new StreamClock(node.shape),
      reachedMs: undefined,
      toldMs: undefined,
      state: windowStateOf(node),
      uncounted: new OffsetSet(),
    }));
  }

  /** The next record to work on. */
  get position(): number {
    return this.#position;
  }

  get revisionBase(): number {
    return this.#revisionBase;
  }

  get hasWindows(): boolean {
    return this.#windows.length > 0;
  }

  /** Event time reached, the slowest window's; undefined before the first record. */
  get clockMs(): number | undefined {
    const clocks = this.#windows.map(({ clock }) => clock.valueMs).filter((value) => value !== undefined);
    return clocks.length === 0 ? undefined : Math.min(...clocks);
  }

  get paneCount(): number {
    return this.#windows.reduce((sum, { state }) => sum + state.size, 0);
  }

  /** Changes whenever a note would. */
  get version(): string {
    const progress = this.#windows.map(({ state }) => state.progress ?? "");
    return `${this.#step?.position ?? this.#position} ${this.#step === undefined} ${progress.join(" ")}`;
  }

  /**
   * Takes up what another life of the pipeline noted. Its records have to follow from `rewindTo` on: those before the
   * committed position by `rebuild`, the others by `process`.
   *
   * The other life may have told results after its last note. They are told again, from records that reach at least as
   * far, so under revisions at least as high: readers who keep the highest, and of equal ones the later, end up with ours.
   */
  restore(checkpoint: Checkpoint): void {
    this.#revisionBase = checkpoint.revisionBase;
    this.#origins = Origins.decode(checkpoint.origins);
    for (const window of this.#windows) {
      const noted = checkpoint.windows.get(window.node.name);
      if (noted === undefined) continue;
      // Where records are gone, the state is what can still be read.
      window.clock = new StreamClock(window.node.shape, noted.clockMs);
      window.reachedMs = noted.clockMs;
      window.uncounted = noted.uncounted;
      window.toldMs = noted.toldMs;
      window.state.restore(noted.toldMs);
    }
  }

  /** Where the work stands; to be committed when everything told so far is with Kafka. */
  note(owner: string): Note {
    const { position, checkpoint } = this.#step ?? {
      position: this.#position,
      checkpoint: this.#checkpoint(),
    };
    return { position, checkpoint: { owner, ...checkpoint } };
  }

  /** The note is committed. */
  noted({ checkpoint }: Note): void {
    const step = this.#step;
    if (step === undefined || checkpoint.windows !== step.checkpoint.windows) return;
    this.#step = undefined;
    for (const leave of step.held) leave();
  }

  #checkpoint(): Omit<Checkpoint, "owner"> {
    const rewindTo = this.#windows.reduce(
      (least, { state }) => Math.min(least, state.offsetMin ?? least),
      this.#position,
    );
    const windows = new Map<string, WindowCheckpoint>();
    for (const { node, reachedMs, toldMs, uncounted } of this.#windows) {
      uncounted.dropBelow(rewindTo);
      windows.set(node.name, { clockMs: reachedMs, toldMs, uncounted });
    }
    return { revisionBase: this.#revisionBase, rewindTo, windows, origins: this.#origins.encode() };
  }

  /** A record that was worked on before the state was lost. */
  rebuild(record: IncomingRecord): void | Promise<void> {
    this.#position = record.offset + 1;
    this.#ports.numbers.count("records_rebuilt");
    const windows = this.#windows.filter(({ uncounted }) => !uncounted.has(record.offset));
    const decoded = this.#decoded(record);
    if (!decoded.ok || windows.length === 0) return;
    this.#last = record;
    return this.#tried(record, () => {
      const effects: Effects = { out: [], windows: [], prints: [] };
      const done = evaluate(this.#source.next, decoded.value, decoded.context, effects, { isRebuild: true });
      const settle = () => {
        for (const { node, values, context } of effects.windows) {
          const state = windows.find((window) => window.node === node)?.state;
          state?.rebuild(context.key, context.timestampMs, values, record.offset);
        }
      };
      return done === undefined ? settle() : done.then(settle);
    });
  }

  /** Works on the next record. Never throws for the record's sake. */
  process(given: IncomingRecord): void | Promise<void> {
    this.#ports.numbers.count("records_in", given.topic);
    const record = this.#isRepartition ? withoutOrigin(given) : given;
    if (this.#isRepartition && this.#origins.take(given) === "repeated") return this.#repeated(record);
    const decoded = this.#decoded(record);
    if (!decoded.ok) {
      this.#deadLetter(record, "undecodable", decoded.problems.join("; "));
      return this.#done(record);
    }
    const { value, context } = decoded;
    if (this.#windows.length > 0) this.#checkHome(context);
    this.#last = record;
    const wallMs = this.#ports.wallMs();
    const future = this.#windows.filter(({ clock }) => !clock.record(context.timestampMs, wallMs));
    for (const window of this.#windows) if (!future.includes(window)) follow(window, context.timestampMs);
    const told = this.#tellDue();
    const work = () => this.#tried(record, () => this.#work(record, value, context, future));
    const done = told === undefined ? work() : told.then(work);
    return done === undefined ? this.#done(record) : done.then(() => this.#done(record));
  }

  /** Up to where nothing is to be had: no record, but a part of the log that is not for readers (transaction markers). */
  skipTo(position: number): void {
    this.#position = Math.max(this.#position, position);
  }

  /** Time has passed, by a clock that does not step. */
  elapse(elapsedMs: number, isCaughtUp: boolean): void | Promise<void> {
    if (this.#windows.length === 0) return;
    const stepping: Window[] = [];
    for (const window of this.#windows) {
      const { clock, state } = window;
      clock.elapse(elapsedMs, isCaughtUp);
      if (clock.valueMs === undefined) continue;
      if (state.isDue === undefined) follow(window, clock.valueMs);
      else if (this.#step === undefined && state.isDue(clock.valueMs)) stepping.push(window);
    }
    if (stepping.length === 0) return this.#tellDue();
    // What the others have to tell is told before, so that it is not held.
    const others = this.#tellDue();
    const step = () => {
      for (const window of stepping) follow(window, window.clock.valueMs);
      this.#step = { position: this.#position, checkpoint: this.#checkpoint(), held: [] };
      return this.#tellDue();
    };
    return others === undefined ? step() : others.then(step);
  }

  get #isRepartition(): boolean {
    return this.#source.repartition !== undefined;
  }

  /** It was worked on already: an upstream partition that was taken over gave it again. */
  #repeated(record: IncomingRecord): void {
    this.#ports.numbers.count("records_repeated", record.topic);
    for (const { uncounted } of this.#windows) uncounted.add(record.offset);
    this.#done(record);
  }

  #done(record: IncomingRecord): void {
    this.#position = record.offset + 1;
  }

  /** What is told now holds the records before the given offset. */
  #revision(beforeOffset: number): number {
    return this.#revisionBase + beforeOffset;
  }

  #work(
    record: IncomingRecord,
    value: unknown,
    context: RecordContext,
    future: readonly Window[],
  ): void | Promise<void> {
    const effects: Effects = { out: [], windows: [], prints: [] };
    const sequence = this.#revision(record.offset);
    const done = evaluate(this.#source.next, value, context, effects, { isRebuild: false, sequence });
    const settle = () => this.#settle(record, effects, future);
    return done === undefined ? settle() : done.then(settle);
  }

  /** Everything of the record has gone well: now it counts. */
  #settle(record: IncomingRecord, effects: Effects, future: readonly Window[]): void | Promise<void> {
    const prepared: { window: Window; change: Change }[] = [];
    const uncounting: Window[] = [];
    let refused: { code: DeadLetterCode; reason: string } | undefined;
    for (const { node, values, context } of effects.windows) {
      const window = this.#windowOf(node);
      if (window === undefined) continue;
      if (future.includes(window)) {
        refused ??= { code: "future", reason: futureReason(context.timestampMs, node) };
        uncounting.push(window);
      } else if (window.state.isLate(context.key, context.timestampMs)) {
        refused ??= { code: "late", reason: lateReason(context.timestampMs, node) };
        uncounting.push(window);
      } else {
        prepared.push({ window, change: window.state.prepare(context.key, context.timestampMs, values) });
      }
    }
    // No function of a user runs from here on until the record counts: it counts in all its windows or in none.
    for (const { uncounted } of uncounting) uncounted.add(record.offset);
    const changed = prepared.map(({ window, change }) => ({
      window,
      told: change.apply(record.offset, this.#revision(record.offset + 1)),
    }));
    for (const { window, told } of changed) {
      if (window.node.shape.kind !== "trailing") continue;
      for (const _ of told) this.#ports.numbers.count("results_revised");
    }
    this.#print(effects);
    for (const out of effects.out) this.#emit(out, record);
    if (refused !== undefined) this.#deadLetter(record, refused.code, refused.reason);
    let telling: Promise<void> | undefined;
    for (const { window, told } of changed) {
      const tell = () => this.#tell(window, told);
      if (telling !== undefined) telling = telling.then(tell);
      else telling = tell() ?? undefined;
    }
    return telling;
  }

  /** Tells what event time has made due. */
  #tellDue(): void | Promise<void> {
    let telling: Promise<void> | undefined;
    for (const window of this.#windows) {
      const untilMs = window.reachedMs;
      if (untilMs === undefined) continue;
      const told = window.state.advance(untilMs, this.#revision(this.#position));
      // Before all of it is on its way nothing of it may be forgotten: a note that is taken meanwhile has to hold it.
      const end = () => {
        window.toldMs = untilMs;
        window.state.forget();
      };
      if (told.length === 0 && telling === undefined) {
        end();
        continue;
      }
      const tell = () => {
        const done = this.#tell(window, told);
        return done === undefined ? end() : done.then(end);
      };
      if (telling !== undefined) telling = telling.then(tell);
      else telling = tell() ?? undefined;
    }
    return telling;
  }

  #tell(window: Window, told: readonly (Told | Untold)[], from = 0): void | Promise<void> {
    for (let i = from; i < told.length; i++) {
      const result = told[i];
      if (result === undefined) continue;
      const done = this.#tellOne(window.node, result);
      if (done !== undefined) return done.then(() => this.#tell(window, told, i + 1));
    }
  }

  #tellOne(node: WindowNode, result: Told | Untold): void | Promise<void> {
    const origin = this.#last;
    this.#ports.numbers.count("results");
    const context: RecordContext = {
      topic: origin.topic,
      partition: origin.partition,
      offset: origin.offset,
      key: result.key,
      timestampMs: result.endMs,
      headers: this.#headersOf(node, result),
    };
    const work = (): void | Promise<void> => {
      if ("error" in result) throw result.error;
      const effects: Effects = { out: [], windows: [], prints: [] };
      const done = evaluate(node.next, result, context, effects, { isRebuild: false });
      const settle = () => {
        this.#print(effects);
        for (const out of effects.out) this.#emit(out, origin);
      };
      return done === undefined ? settle() : done.then(settle);
    };
    return this.#tried(
      { ...origin, key: utf8(result.key), value: utf8(JSON.stringify(result)) },
      work,
      "result-failed",
    );
  }

  #headersOf(node: WindowNode, result: Told | Untold): Headers {
    // A session's bounds are made by its records: its end alone is not its name.
    const window = node.shape.kind === "session" ? `${result.startMs}-${result.endMs}` : result.endMs;
    return {
      [resultHeaders.id]: `${this.#ports.app}/${node.name}/${result.key}/${window}`,
      [resultHeaders.revision]: String(result.revision),
      [resultHeaders.start]: String(result.startMs),
      [resultHeaders.end]: String(result.endMs),
    };
  }

  /** Tries the work as often as allowed; then the record is a dead letter and the work goes on. */
  #tried(
    record: IncomingRecord,
    work: () => void | Promise<void>,
    code: DeadLetterCode = "failed",
    attempt = 1,
  ): void | Promise<void> {
    const again = (error: unknown): void | Promise<void> => {
      if (attempt >= this.#ports.attempts) {
        this.#deadLetter(
          record,
          code,
          error instanceof Error ? `${error.name}: ${error.message}` : String(error),
        );
        if (code === "failed") for (const { uncounted } of this.#windows) uncounted.add(record.offset);
        return;
      }
      this.#ports.numbers.count("records_retried");
      const next = () => this.#tried(record, work, code, attempt + 1);
      const waited = this.#ports.backoff(attempt);
      return waited === undefined ? next() : waited.then(next);
    };
    try {
      return work()?.catch(again);
    } catch (error) {
      return again(error);
    }
  }

  /** A window sees one partition: of a key whose records lie in several, each would tell its own share. */
  #checkHome({ topic, partition, offset, key }: RecordContext): void {
    const { isHome, numbers, warn } = this.#ports;
    if (isHome === undefined || isHome(key)) return;
    numbers.count("records_misplaced", topic);
    const reason = "it was written without its key, or by a producer with another partitioner than murmur2";
    warn(
      { topic, partition, offset, key, reason },
      "a record is not in its key's partition: its windows are split",
    );
  }

  #deadLetter(record: IncomingRecord, code: DeadLetterCode, reason: string): void {
    const { topic, partition, offset } = record;
    if (code === "late") this.#ports.numbers.count("records_late");
    if (code === "future") this.#ports.numbers.count("records_future");
    this.#ports.numbers.count("records_dead_lettered", topic, code);
    this.#ports.warn({ topic, partition, offset, code, reason }, "record put with the dead letters");
    const letter = deadLetterOf(this.#ports.app, record, code, reason);
    this.#leave(() => this.#ports.emit(letter, record));
  }

  #emit(record: OutgoingRecord, origin: IncomingRecord): void {
    this.#ports.numbers.count("records_out", record.topic);
    this.#leave(() => this.#ports.emit(record, origin));
  }

  #print({ prints }: Effects): void {
    for (const { label, value, context } of prints)
      this.#leave(() => this.#ports.print(label, value, context));
  }

  #leave(leave: () => void): void {
    if (this.#step === undefined) leave();
    else this.#step.held.push(leave);
  }

  /** The value and where it comes from; a key or time that can't be had is as bad as a value that can't. */
  #decoded(record: IncomingRecord): DecodedRecord {
    const { topic: source } = this.#source;
    const { topic, partition, offset, headers } = record;
    try {
      const decoded = source.decode(record.value);
      if (!decoded.ok) return decoded;
      const { value } = decoded;
      const timestampMs = Math.floor(source.eventTimeMs(value, record.timestampMs));
      if (!Number.isSafeInteger(timestampMs))
        return { ok: false, problems: [`its event time is ${timestampMs}`] };
      // The key of a record that groupBy wrote is what it was grouped by; its value does not tell.
      const key = this.#isRepartition ? Buffer.from(record.key ?? []).toString("utf8") : source.key(value);
      return { ok: true, value, context: { topic, partition, offset, headers, timestampMs, key } };
    } catch (error) {
      return { ok: false, problems: [messageOf(error)] };
    }
  }

  #windowOf(node: WindowNode): Window | undefined {
    return this.#windows.find((window) => window.node === node);
  }
}

/** Event time has come so far for the window. */
function follow(window: Window, untilMs: number | undefined): void {
  if (untilMs === undefined) return;
  window.reachedMs = Math.max(window.reachedMs ?? untilMs, untilMs);
}

function nothing(topic: string, partition: number, offset: number): IncomingRecord {
  return { topic, partition, offset, key: null, value: null, timestampMs: 0, headers: {} };
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

function futureReason(timestampMs: number, { shape }: WindowNode): string {
  return `its event time ${isoTime(timestampMs)} is more than ${durationText(shape.maxFutureMs)} ahead of the clock`;
}

function lateReason(timestampMs: number, { shape }: WindowNode): string {
  return `its event time ${isoTime(timestampMs)} is more than ${durationText(latenessOf(shape))} behind`;
}

function isoTime(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}
