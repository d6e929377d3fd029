/** Results of windows on their way down the topology: what event time has made due, and what late records have corrected. */
import type { IncomingRecord } from "../ports.ts";
import type { Store } from "../state/store.ts";
import type { RecordContext } from "../topology/nodes.ts";
import type { Told, Untold } from "../windows/window-state.ts";
import type { Attempts } from "./attempts.ts";
import { evaluate, noEffects } from "./evaluate.ts";
import type { Leaving, LeavingPorts } from "./leaving.ts";
import { dueOf, ordinalOf, type PartitionWindow } from "./partition-windows.ts";
import { resultHeadersOf } from "./result-headers.ts";

export interface TellingOptions {
  readonly windows: readonly PartitionWindow[];
  readonly stores: ReadonlyMap<string, Store>;
  readonly ports: Pick<LeavingPorts, "app" | "numbers">;
  readonly leaving: Leaving;
  readonly attempts: Attempts;
}

export class Telling {
  readonly #options: TellingOptions;

  constructor(options: TellingOptions) {
    this.#options = options;
  }

  /**
   * Tells what event time has made due.
   *
   * @param origin the record that came last: results that fail become dead letters of its place
   * @param revision of the results
   */
  due(origin: IncomingRecord, revision: number): void | Promise<void> {
    let telling: Promise<void> | undefined;
    for (const window of this.#options.windows) {
      const untilMs = window.reachedMs;
      if (untilMs === undefined) continue;
      const told = dueOf(window, untilMs, revision);
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
        const done = this.results(window, told, origin);
        return done === undefined ? end() : done.then(end);
      };
      if (telling !== undefined) telling = telling.then(tell);
      else telling = tell() ?? undefined;
    }
    return telling;
  }

  /** One after the other: each is on its way when the next is evaluated. */
  results(
    window: PartitionWindow,
    told: readonly (Told | Untold)[],
    origin: IncomingRecord,
    from = 0,
  ): void | Promise<void> {
    for (let i = from; i < told.length; i++) {
      const result = told[i];
      if (result === undefined) continue;
      const done = this.#result(window, result, origin);
      if (done !== undefined) return done.then(() => this.results(window, told, origin, i + 1));
    }
  }

  #result(window: PartitionWindow, result: Told | Untold, origin: IncomingRecord): void | Promise<void> {
    const { node } = window;
    const { ports, stores, leaving, attempts } = this.#options;
    const place = window.isRegrouped
      ? { stream: node.name, sequence: result.revision, ordinal: ordinalOf(window, result.revision) }
      : {};
    ports.numbers.count("results");
    const context: RecordContext = {
      topic: origin.topic,
      partition: origin.partition,
      offset: origin.offset,
      key: result.key,
      timestampMs: result.endMs,
      headers: resultHeadersOf(ports.app, node, result),
    };
    const work = (): void | Promise<void> => {
      if ("error" in result) throw result.error;
      const effects = noEffects(stores);
      const end = () => {
        effects.states.apply();
        leaving.leave(effects, origin);
      };
      const done = evaluate(node.next, result, context, effects, place);
      return done === undefined ? end() : done.then(end);
    };
    // As a record it is a dead letter, which few become.
    const asRecord = () => ({ ...origin, key: utf8(result.key), value: utf8(JSON.stringify(result)) });
    return attempts.make(asRecord, work, "result-failed");
  }
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}
