/** What leaves a partition: records, dead letters, what is printed. Some of it may have to wait for a note. */
import type { IncomingRecord, OutgoingRecord } from "../ports.ts";
import type { RecordContext } from "../topology/nodes.ts";
import { type DeadLetterCode, deadLetterOf } from "./dead-letters.ts";
import type { Effects } from "./evaluate.ts";
import type { Numbers } from "./numbers.ts";

export interface LeavingPorts {
  readonly app: string;
  readonly numbers: Numbers;
  /** Hands a record on; `origin` is what it came of, for the dead letters should Kafka refuse it. */
  emit(record: OutgoingRecord, origin: IncomingRecord): void;
  print(label: string, value: unknown, context: RecordContext): void;
  warn(fields: object, message: string): void;
}

export class Leaving {
  readonly #ports: LeavingPorts;
  #held: (() => void)[] | undefined;

  constructor(ports: LeavingPorts) {
    this.#ports = ports;
  }

  /** Lets nothing go until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const leave of held) leave();
  }

  /** All that a record, or a result, has brought about outside. */
  leave({ prints, out }: Effects, origin: IncomingRecord): void {
    for (const { label, value, context } of prints) this.#go(() => this.#ports.print(label, value, context));
    for (const record of out) {
      this.#ports.numbers.count("records_out", record.topic);
      if (this.#held === undefined) this.#ports.emit(record, origin);
      else this.#held.push(() => this.#ports.emit(record, origin));
    }
  }

  /** Takes the record out of processing: sends it to the dead-letter topic, or skips it. */
  putAside(
    where: "dead-letter" | "skip",
    record: IncomingRecord,
    code: DeadLetterCode,
    { reason, step }: { readonly reason: string; readonly step?: string | undefined },
  ): void {
    const { numbers, warn, app, emit } = this.#ports;
    const { topic, partition, offset } = record;
    if (code === "late") numbers.count("records_late");
    if (code === "future") numbers.count("records_future");
    const fields = { topic, partition, offset, code, ...(step !== undefined && { step }), reason };
    if (where === "skip") {
      numbers.count("records_skipped", topic, code);
      return warn(fields, "record skipped");
    }
    numbers.count("records_dead_lettered", topic, code);
    warn(fields, "record sent to the dead-letter topic");
    const letter = deadLetterOf(app, record, code, reason, step);
    this.#go(() => emit(letter, record));
  }

  #go(leave: () => void): void {
    if (this.#held === undefined) leave();
    else this.#held.push(leave);
  }
}
