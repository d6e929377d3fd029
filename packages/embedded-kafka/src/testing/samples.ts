/** Values of any message in any version, for tests: deterministic samples, and fast-check arbitraries. */
import fc from "fast-check";
import {
  type Api,
  type Field,
  type Fields,
  type FieldType,
  isFlexible,
  type Primitive,
  ZERO_UUID,
} from "../protocol/schema.ts";

type Value = Record<string, unknown>;
export type Side = "request" | "response";

/** Every version of an API that is served. */
export function versionsOf({ versions: [least, greatest] }: Api): number[] {
  return Array.from({ length: greatest - least + 1 }, (_, index) => least + index);
}

function isOnTheWire(field: Field<unknown, never>, version: number): boolean {
  return field.since <= version && version <= field.until;
}

function mayBeNull(field: Field<unknown, never>, version: number): boolean {
  return field.nullableSince !== null && version >= field.nullableSince;
}

// ------------------------------------------------------------------ samples

/** `full`: two of everything, no two values alike. `bare`: everything empty, null or at its default. */
export type SampleKind = "full" | "bare";

/** A value of a message with the fields of one version; fields of other versions have their defaults. */
export function sampleOf(api: Api, side: Side, version: number, kind: SampleKind): Value {
  let counter = 0;
  return kind === "full" ? full(api[side], version, () => ++counter) : bare(api[side], version);
}

function full(fields: Fields, version: number, next: () => number): Value {
  return eachField(fields, (field) => {
    if (!isOnTheWire(field, version)) return absent(field);
    return fullOf(field.type, version, next);
  });
}

function fullOf(type: FieldType, version: number, next: () => number): unknown {
  switch (type.kind) {
    case "primitive":
      return distinct(type.primitive, next());
    case "array":
      return [fullOf(type.element, version, next), fullOf(type.element, version, next)];
    case "struct":
      return full(type.fields, version, next);
  }
}

function distinct(type: Primitive, n: number): unknown {
  switch (type) {
    case "bool":
      return true;
    case "int8":
      return n % 128;
    case "int16":
      return -300 - n;
    case "uint16":
      return 40_000 + n;
    case "int32":
      return 70_000 + n;
    case "int64":
      return 2 ** 40 + n;
    case "float64":
      return n + 0.5;
    case "string":
      return `é${n}`;
    case "uuid":
      return Buffer.alloc(16, n).toString("base64url");
    case "bytes":
    case "records":
      return Buffer.from([n, 0, 255]);
  }
}

function bare(fields: Fields, version: number): Value {
  return eachField(fields, (field) => {
    if (!isOnTheWire(field, version)) return absent(field);
    if (field.tag !== null) return absent(field);
    return mayBeNull(field, version) ? null : bareOf(field.type, version);
  });
}

function bareOf(type: FieldType, version: number): unknown {
  switch (type.kind) {
    case "primitive":
      return (
        { bool: false, string: "", uuid: ZERO_UUID, bytes: Buffer.alloc(0), records: Buffer.alloc(0) }[
          type.primitive as string
        ] ?? 0
      );
    case "array":
      return [];
    case "struct":
      return bare(type.fields, version);
  }
}

function eachField(fields: Fields, make: (field: Field<unknown, never>) => unknown): Value {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, make(field)]));
}

function absent(field: Field<unknown, never>): unknown {
  return Array.isArray(field.absent) ? [] : field.absent;
}

// ------------------------------------------------------------------ arbitraries

/** Any value of a message in a version. */
export function arbitraryOf(api: Api, side: Side, version: number): fc.Arbitrary<Value> {
  return arbitraryStruct(api[side], version, isFlexible(api, version));
}

function arbitraryStruct(fields: Fields, version: number, flexible: boolean): fc.Arbitrary<Value> {
  return fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, arbitraryField(field, version, flexible)]),
    ),
  );
}

function arbitraryField(
  field: Field<unknown, never>,
  version: number,
  flexible: boolean,
): fc.Arbitrary<unknown> {
  if (!isOnTheWire(field, version)) return fc.constant(absent(field));
  const some = arbitraryType(field.type, version, flexible);
  const tagged = field.tag === null ? some : fc.oneof(some, fc.constant(absent(field)));
  return mayBeNull(field, version) ? fc.option(tagged, { nil: null }) : tagged;
}

function arbitraryType(type: FieldType, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case "primitive":
      return arbitraryPrimitive(type.primitive);
    case "array":
      return fc.array(arbitraryType(type.element, version, flexible), { maxLength: 3 });
    case "struct":
      return arbitraryStruct(type.fields, version, flexible);
  }
}

function arbitraryPrimitive(type: Primitive): fc.Arbitrary<unknown> {
  switch (type) {
    case "bool":
      return fc.boolean();
    case "int8":
      return fc.integer({ min: -128, max: 127 });
    case "int16":
      return fc.integer({ min: -32768, max: 32767 });
    case "uint16":
      return fc.integer({ min: 0, max: 65535 });
    case "int32":
      return fc.integer();
    case "int64":
      return fc.maxSafeInteger();
    case "float64":
      return fc.double({ noNaN: true });
    case "string":
      return fc.string({ unit: "grapheme", maxLength: 20 });
    case "uuid":
      return fc
        .uint8Array({ minLength: 16, maxLength: 16 })
        .map((bytes) => Buffer.from(bytes).toString("base64url"));
    case "bytes":
    case "records":
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  }
}

// ------------------------------------------------------------------ encoding

/** What the encoder takes for a decoded value: record batches are a list there. */
export function toEncodable(fields: Fields, value: Value): Value {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, toEncodableOf(field.type, value[name])]),
  );
}

function toEncodableOf(type: FieldType, value: unknown): unknown {
  if (value === null) return null;
  if (type.kind === "primitive") return type.primitive === "records" ? [value] : value;
  if (type.kind === "struct") return toEncodable(type.fields, value as Value);
  return (value as unknown[]).map((element) => toEncodableOf(type.element, element));
}
