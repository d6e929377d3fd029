/** A windowed pipeline that is killed and started again over one log of records, by a script. */
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../src/state/checkpoint.ts";
import type { SourceNode } from "../src/topology/nodes.ts";
import { Bench, type Reading, recordOf } from "./readings.ts";

export type Step =
  | { readonly kind: "record"; readonly value: Reading }
  | { readonly kind: "silence"; readonly ms: number }
  /** "unheard": a commit that Kafka takes, and whose answer is lost. */
  | { readonly kind: "commit" | "unheard" | "kill" | "stop" };

export class Lives {
  readonly bench: Bench;
  readonly log: Reading[] = [];
  #committed: { readonly position: number; readonly text: string };

  constructor(source: SourceNode) {
    this.bench = new Bench(source);
    this.#committed = { position: 0, text: "" };
    this.commit();
  }

  async play(script: readonly Step[]): Promise<void> {
    for (const step of script) {
      if (step.kind === "record") {
        this.log.push(step.value);
        await this.bench.partition.process(recordOf(step.value, this.log.length - 1));
      } else if (step.kind === "silence") await this.silence(step.ms);
      else if (step.kind === "commit") this.commit();
      else if (step.kind === "unheard") this.commit(false);
      else {
        if (step.kind === "stop") this.commit();
        await this.#comeBack();
      }
    }
  }

  async silence(ms: number): Promise<void> {
    this.bench.wallMs += ms;
    await this.bench.partition.elapse(ms, true);
  }

  commit(isHeard = true): void {
    const { partition } = this.bench;
    const note = partition.note("me");
    const { text, lost } = encodeCheckpoint(note.checkpoint);
    if (lost > 0) throw new RangeError(`The script has ${lost} refused records too many to be noted.`);
    this.#committed = { position: note.position, text };
    if (isHeard) partition.noted(note);
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

  async #comeBack(): Promise<void> {
    const { position, text } = this.#committed;
    const checkpoint: Checkpoint | undefined = decodeCheckpoint(text);
    const from = checkpoint?.rewindTo ?? 0;
    const partition = this.bench.fresh(from);
    this.bench.partition = partition;
    if (checkpoint !== undefined) partition.restore(checkpoint);
    for (const [offset, each] of this.log.entries()) {
      if (offset < from) continue;
      if (offset < position) await partition.rebuild(recordOf(each, offset));
      else await partition.process(recordOf(each, offset));
    }
  }
}
