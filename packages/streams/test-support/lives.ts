/** A pipeline with state that is killed and started again over one log of records, by a script; its changelogs are kept. */
import type { OutgoingRecord } from "../src/ports.ts";
import type { Partition } from "../src/runtime/partition.ts";
import { changelogRecord, ReadChangelog } from "../src/state/changelog.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../src/state/checkpoint.ts";
import type { SourceNode } from "../src/topology/nodes.ts";
import { Bench, type Reading, recordOf } from "./readings.ts";

export type Step =
  | { readonly kind: "record"; readonly value: Reading }
  | { readonly kind: "silence"; readonly ms: number }
  /**
   * "unheard": a commit that Kafka takes, and whose answer is lost. "unended": the changes are written, and the position is
   * not. "compact": Kafka leaves the last record of each key. "undead": one that was killed writes what it had in work.
   */
  | { readonly kind: "commit" | "unheard" | "unended" | "kill" | "stop" | "compact" | "undead" };

export class Lives {
  readonly bench: Bench;
  readonly log: Reading[] = [];
  /** By the name of the state. */
  readonly changelogs = new Map<string, OutgoingRecord[]>();
  #committed: { readonly position: number; readonly text: string };
  #killed: Partition | undefined;

  constructor(source: SourceNode) {
    this.bench = new Bench(source);
    this.#committed = { position: 0, text: "" };
    this.commit();
  }

  async play(script: readonly Step[]): Promise<void> {
    for (const step of script) await this.#play(step);
  }

  async take(reading: Reading): Promise<void> {
    this.log.push(reading);
    await this.bench.partition.process(recordOf(reading, this.log.length - 1));
  }

  async silence(ms: number): Promise<void> {
    this.bench.wallMs += ms;
    await this.bench.partition.elapse(ms, true);
  }

  commit(how: "heard" | "unheard" | "unended" = "heard"): void {
    const { partition } = this.bench;
    const { note, changes } = partition.takeNews();
    this.#write(changes);
    if (how === "unended") return;
    this.#committed = { position: note.position, text: encodeCheckpoint(note.checkpoint) };
    if (how === "heard") partition.noted(note);
  }

  async kill(): Promise<void> {
    const { position, text } = this.#committed;
    const checkpoint = decodeCheckpoint(text);
    this.#killed = this.bench.partition;
    const partition = this.bench.fresh(position);
    this.bench.partition = partition;
    if (checkpoint !== undefined) partition.restore(checkpoint);
    let found = 0;
    for (const state of partition.states) {
      const changelog = new ReadChangelog();
      for (const { key, value } of this.changelogs.get(state) ?? [])
        changelog.take({ key: Buffer.from(key ?? ""), value });
      const loading = partition.load(state, changelog);
      let piece = loading.next();
      while (piece.done !== true) piece = loading.next();
      found += piece.value;
    }
    if (found < (checkpoint?.blocks ?? 0)) throw new RangeError("A block that is needed is not there.");
    for (const [offset, each] of this.log.entries())
      if (offset >= position) await partition.process(recordOf(each, offset));
  }

  /** What Kafka leaves: of each key the last record, where that is no deletion. */
  compact(): void {
    for (const [state, records] of this.changelogs) {
      const last = new Map(records.map((record) => [String(record.key), record]));
      this.changelogs.set(
        state,
        records.filter((record) => last.get(String(record.key)) === record && record.value !== null),
      );
    }
  }

  /** Reads everything there is, waits, and notes, until nothing more is told. */
  async settle(ms: number): Promise<void> {
    await this.bench.partition.elapse(1, false);
    for (let version = ""; version !== this.bench.partition.version; ) {
      version = this.bench.partition.version;
      await this.silence(ms);
      this.commit();
    }
  }

  async #play(step: Step): Promise<void> {
    if (step.kind === "record") return this.take(step.value);
    if (step.kind === "silence") return this.silence(step.ms);
    if (step.kind === "compact") return this.compact();
    if (step.kind === "commit") return this.commit();
    if (step.kind === "unheard" || step.kind === "unended") return this.commit(step.kind);
    if (step.kind === "undead") {
      if (this.#killed !== undefined) this.#write(this.#killed.takeNews().changes);
      return;
    }
    if (step.kind === "stop") this.commit();
    await this.kill();
  }

  #write(changes: ReturnType<Partition["takeNews"]>["changes"]): void {
    for (const change of changes) {
      const records = this.changelogs.get(change.state) ?? [];
      records.push(changelogRecord("bench", 0, change, 0));
      this.changelogs.set(change.state, records);
    }
  }
}
