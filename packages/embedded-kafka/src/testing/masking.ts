/** Messages without what differs from run to run: ids, times, the endings of names. */

import type { Field, Fields, FieldType } from "../protocol/schema.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { readHeader } from "../records/batch.ts";
import { readMarker } from "../records/control.ts";
import { readRecords } from "../records/record.ts";
import { batchesIn } from "./consumed.ts";

/** What tests hang on a name to make it unique, and the ids that a broker makes. */
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const ENDING = /-[0-9a-f]{8}(?![0-9a-f])/g;
/** Where the broker is and what it is called is the cluster's own affair; so is how a refusal is put into words. */
const OWN = new Set([
  ...["host", "clientHost", "port", "nodeId", "clusterId", "rack", "coordinatorEpoch", "throttleTimeMs"],
  ...["errorMessage", "batchIndexErrorMessage", "documentation", "logDir", "totalBytes", "usableBytes"],
]);
/** A moment after 2001, in milliseconds: not a duration. */
const IS_TIME = (value: number): boolean => value > 1e12 && value < 1e13;
const NO_ONE = -1;

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/** What one test has named, and the masks for it: of the same kind all alike, as members that come at once come in any order. */
export class Masks {
  readonly #known = new Set<string>();

  /** A message as plain data. Lists of structures are sorted: Apache Kafka gives them in the order of its hash maps. */
  message(fields: Fields, value: object): Plain {
    const given = new Map<string, unknown>(Object.entries(value));
    const masked = Object.entries(fields)
      .filter(([name]) => given.has(name))
      .map(([name, field]): [string, Plain] => {
        const isOwn = this.#source(given, name);
        return [name, isOwn ? "(own)" : this.#field(name, field, given.get(name))];
      });
    return Object.fromEntries(masked);
  }

  /** A new Apache Kafka sets this one for the whole cluster by itself (KIP-966), to what is the default anyway. */
  #source(of: ReadonlyMap<string, unknown>, name: string): boolean {
    return (name === "configSource" || name === "synonyms") && of.get("name") === "min.insync.replicas";
  }

  #field(name: string, { type }: Field<unknown, never>, value: unknown): Plain {
    if (OWN.has(name)) return "(own)";
    if (value === null || value === undefined) return null;
    return this.#value(name, type, value);
  }

  #value(name: string, type: FieldType, value: unknown): Plain {
    if (type.kind === "struct")
      return typeof value === "object" && value !== null ? this.message(type.fields, value) : null;
    if (type.kind === "array") {
      if (!Array.isArray(value)) return null;
      const elements = value.map((element: unknown) => this.#value(name, type.element, element));
      // The order of replicas says who is preferred; that of bare partitions says nothing.
      return type.element.kind === "struct" || name === "partitions" ? sorted(elements) : elements;
    }
    if (type.primitive === "records") return this.#records(value);
    if (value instanceof Buffer) return this.text(value.toString("latin1"));
    if (typeof value === "boolean") return value;
    if (typeof value === "number") return this.#number(name, value);
    if (typeof value !== "string") return String(value);
    return type.primitive === "uuid" && value !== ZERO_UUID ? this.#mask("id", value) : this.text(value);
  }

  #number(name: string, value: number): Plain {
    if (/producerId(Filters)?$/i.test(name) && value !== NO_ONE) return this.#mask("producer", String(value));
    if (name === "sessionId" && value > 0) return this.#mask("session", String(value));
    return IS_TIME(value) ? "(time)" : value;
  }

  /** Text with its ids and endings masked. */
  text(text: string): string {
    return text
      .replace(UUID, (uuid) => this.#mask("uuid", uuid))
      .replace(ENDING, (ending) => `-${this.#mask("name", ending)}`);
  }

  /** True for what a test has named before. */
  knows(text: string): boolean {
    return [...text.matchAll(ENDING)].some(([ending]) => this.#known.has(`name ${ending}`));
  }

  #mask(kind: string, value: string): string {
    this.#known.add(`${kind} ${value}`);
    return `#${kind}`;
  }

  #records(value: unknown): Plain {
    const whole = Array.isArray(value)
      ? Buffer.concat(value.filter((part) => part instanceof Buffer))
      : value;
    if (!(whole instanceof Buffer)) return null;
    try {
      return batchesIn(whole).map((batch) => this.#batch(batch));
    } catch {
      // Some tests send what is no batch; the answer is what counts.
      return `(${whole.length} bytes)`;
    }
  }

  #batch(batch: Buffer): Plain {
    const { baseOffset, lastOffsetDelta, producerId, producerEpoch, transactional, control } =
      readHeader(batch);
    const head = {
      offsets: [baseOffset, baseOffset + lastOffsetDelta],
      producer: producerId === NO_ONE ? null : [this.#mask("producer", String(producerId)), producerEpoch],
      transactional,
    };
    if (control) return { ...head, committed: readMarker(batch)?.committed ?? null };
    const records = [...readRecords(batch)].map(({ offset, value }) => [
      offset,
      value === null ? null : this.text(value.toString("latin1")),
    ]);
    return { ...head, records };
  }
}

function sorted(elements: readonly Plain[]): Plain {
  return elements
    .map((element) => ({ element, by: JSON.stringify(element) }))
    .sort((a, b) => (a.by < b.by ? -1 : Number(a.by > b.by)))
    .map(({ element }) => element);
}
