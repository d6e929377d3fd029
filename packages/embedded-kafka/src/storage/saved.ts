/** Values that were kept, read back: the types are asked for, not believed. */
import { DataFolderError } from "./errors.ts";
import type { StateEntry } from "./state-store.ts";

export class Saved {
  readonly #where: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor({ key, value }: StateEntry) {
    this.#where = JSON.stringify(key);
    if (!isRecord(value)) throw this.#wrong("object");
    this.#fields = value;
  }

  #wrong(what: string): DataFolderError {
    return new DataFolderError(`the broker's folder has no valid ${what} for ${this.#where}`);
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string") throw this.#wrong(`string "${name}"`);
    return value;
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== "number") throw this.#wrong(`number "${name}"`);
    return value;
  }

  numbers(name: string): number[] {
    return this.#list(name).map((value) => {
      if (typeof value !== "number") throw this.#wrong(`numbers in "${name}"`);
      return value;
    });
  }

  texts(name: string): string[] {
    return this.#list(name).map((value) => {
      if (typeof value !== "string") throw this.#wrong(`strings in "${name}"`);
      return value;
    });
  }

  /** A map from texts to texts. */
  textsByName(name: string): Map<string, string> {
    return new Map(
      this.#entries(name).map(([key, value]) => {
        if (typeof value !== "string") throw this.#wrong(`strings in "${name}"`);
        return [key, value];
      }),
    );
  }

  /** A map from texts to lists of numbers. */
  numbersByName(name: string): Map<string, number[]> {
    return new Map(
      this.#entries(name).map(([key, value]) => {
        const numbers: unknown[] = Array.isArray(value) ? value : [value];
        return [key, numbers.filter((one) => typeof one === "number")];
      }),
    );
  }

  #list(name: string): unknown[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw this.#wrong(`array "${name}"`);
    return value;
  }

  #entries(name: string): [string, unknown][] {
    const value = this.#fields[name];
    if (!isRecord(value)) throw this.#wrong(`map "${name}"`);
    return Object.entries(value);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A part of a key that is a text. */
export function textIn({ key }: StateEntry, index: number): string {
  const part = key[index];
  if (typeof part === "string") return part;
  throw new DataFolderError(`the broker's folder has the wrong key ${JSON.stringify(key)}`);
}

/** A part of a key that is a number. */
export function numberIn({ key }: StateEntry, index: number): number {
  const part = key[index];
  if (typeof part === "number") return part;
  throw new DataFolderError(`the broker's folder has the wrong key ${JSON.stringify(key)}`);
}
