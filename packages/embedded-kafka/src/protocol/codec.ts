/**
 * Compiles a schema and a version, once, into a decoder and an encoder made of closures.
 *
 * Every count is checked against the bytes that are left, by the least size of an element, before an array is made.
 */
import type { Reader } from "./reader.ts";
import type {
  Api,
  Decoded,
  Encodable,
  Field,
  Fields,
  FieldType,
  Primitive,
  RequestOf,
  ResponseOf,
} from "./schema.ts";
import { isFlexible } from "./schema.ts";
import { Writer } from "./writer.ts";

/** A message of the broker's own that does not fit its schema: a defect in the broker, never in a client. */
export class EncodeError extends Error {
  override readonly name = "EncodeError";
  readonly code = "BROKER_BAD_MESSAGE";
}

interface Codec {
  /** Least number of bytes a value takes. */
  readonly leastBytes: number;
  readonly decode: (reader: Reader) => unknown;
  readonly encode: (writer: Writer, value: never) => void;
}

interface Context {
  readonly version: number;
  readonly flexible: boolean;
}

interface CompiledField {
  readonly name: string;
  readonly codec: Codec;
  readonly absent: unknown;
}

function compileStruct(fields: Fields, context: Context): Codec {
  const all = Object.entries(fields);
  const present = all.filter(([, field]) => field.since <= context.version && context.version <= field.until);
  const plan = all.map(([name, field]): CompiledField & { read: boolean } => {
    const read = present.some(([other]) => other === name) && field.tag === null;
    return { name, absent: field.absent, codec: read ? compileField(field, context) : NOTHING, read };
  });
  const plain = plan.filter((field) => field.read);
  const tagged = new Map<number, CompiledField>();
  for (const [name, field] of present) {
    if (field.tag === null) continue;
    if (!context.flexible) throw new EncodeError(`field ${name} has a tag in an inflexible version`);
    tagged.set(field.tag, { name, absent: field.absent, codec: compileTagged(field, context) });
  }
  return {
    leastBytes: plain.reduce((sum, field) => sum + field.codec.leastBytes, context.flexible ? 1 : 0),
    decode(reader) {
      const value: Record<string, unknown> = {};
      for (const field of plan) {
        value[field.name] = field.read ? field.codec.decode(reader) : copyOf(field.absent);
      }
      if (context.flexible) decodeTags(reader, tagged, value);
      return value;
    },
    encode(writer, value: Readonly<Record<string, never>>) {
      for (const field of plain) {
        field.codec.encode(writer, given(value, field));
      }
      if (context.flexible) encodeTags(writer, tagged, value);
    },
  };
}

const NOTHING: Codec = { leastBytes: 0, decode: () => undefined, encode: () => undefined };

/** Defaults that are arrays must not be shared between two messages. */
function copyOf(absent: unknown): unknown {
  return Array.isArray(absent) ? [] : absent;
}

function given(value: Readonly<Record<string, never>>, field: CompiledField): never {
  const own = value[field.name];
  return own === undefined ? (field.absent as never) : own;
}

function decodeTags(
  reader: Reader,
  known: ReadonlyMap<number, CompiledField>,
  value: Record<string, unknown>,
): void {
  const count = reader.unsignedVarint();
  if (count === 0) return;
  if (count * 2 > reader.remaining)
    throw reader.error(`${count} tagged fields announced, too few bytes left`);
  const seen = new Set<number>();
  for (let i = 0; i < count; i++) {
    const tag = reader.unsignedVarint();
    if (seen.has(tag)) throw reader.error(`tag ${tag} twice`);
    seen.add(tag);
    const content = reader.nested(reader.unsignedVarint());
    const field = known.get(tag);
    if (field === undefined) continue;
    value[field.name] = field.codec.decode(content);
    content.expectEnd();
  }
}

function encodeTags(
  writer: Writer,
  known: ReadonlyMap<number, CompiledField>,
  value: Readonly<Record<string, never>>,
): void {
  if (known.size === 0) return writer.unsignedVarint(0);
  const there = [...known].filter(([, field]) => !isAbsent(given(value, field), field.absent));
  writer.unsignedVarint(there.length);
  for (const [tag, field] of there.sort(([a], [b]) => a - b)) {
    const content = new Writer();
    field.codec.encode(content, given(value, field));
    writer.unsignedVarint(tag);
    writer.unsignedVarint(content.length);
    writer.bytes(content.concat());
  }
}

function isAbsent(value: unknown, absent: unknown): boolean {
  if (Array.isArray(value) && Array.isArray(absent)) return value.length === absent.length;
  return value === absent;
}

function compileField(field: Field<unknown, never>, context: Context): Codec {
  const nullable = field.nullableSince !== null && context.version >= field.nullableSince;
  return compileType(field.type, nullable, context);
}

/** In a tag, a struct that is there is never null, and one that is null is not there. */
function compileTagged(field: Field<unknown, never>, context: Context): Codec {
  return field.type.kind === "struct"
    ? compileStruct(field.type.fields, context)
    : compileField(field, context);
}

function compileType(type: FieldType, nullable: boolean, context: Context): Codec {
  switch (type.kind) {
    case "primitive":
      return compilePrimitive(type.primitive, nullable, context.flexible);
    case "array":
      return compileArray(compileType(type.element, false, context), nullable, context.flexible);
    case "struct": {
      const inner = compileStruct(type.fields, context);
      return nullable ? compileNullableStruct(inner) : inner;
    }
  }
}

/** A byte before the struct: negative for null (KIP-893). */
function compileNullableStruct(inner: Codec): Codec {
  return {
    leastBytes: 1,
    decode: (reader) => (reader.int8() < 0 ? null : inner.decode(reader)),
    encode(writer, value) {
      writer.int8(value === null ? -1 : 1);
      if (value !== null) inner.encode(writer, value);
    },
  };
}

function compileArray(element: Codec, nullable: boolean, compact: boolean): Codec {
  const least = Math.max(element.leastBytes, 1);
  return {
    leastBytes: compact ? 1 : 4,
    decode(reader) {
      const count = compact ? reader.unsignedVarint() - 1 : reader.int32();
      if (count < 0) return nullOf(reader, nullable, count, "array");
      if (count * least > reader.remaining) {
        throw reader.error(`array of ${count} announced, ${reader.remaining} bytes left`);
      }
      const values: unknown[] = [];
      for (let i = 0; i < count; i++) values.push(element.decode(reader));
      return values;
    },
    encode(writer, values: readonly never[] | null) {
      if (values === null && !nullable) throw new EncodeError("null in an array that is not nullable");
      const count = values === null ? -1 : values.length;
      if (compact) writer.unsignedVarint(count + 1);
      else writer.int32(count);
      if (values !== null) for (const value of values) element.encode(writer, value);
    },
  };
}

function nullOf(reader: Reader, nullable: boolean, length: number, what: string): null {
  if (length === -1 && nullable) return null;
  throw reader.error(
    length === -1 ? `null ${what} where none is allowed` : `negative ${what} length ${length}`,
  );
}

const fixed: { readonly [K in Exclude<Primitive, "string" | "bytes" | "records">]: Codec } = {
  bool: { leastBytes: 1, decode: (r) => r.bool(), encode: (w, v: boolean) => w.bool(v) },
  int8: { leastBytes: 1, decode: (r) => r.int8(), encode: (w, v: number) => w.int8(v) },
  int16: { leastBytes: 2, decode: (r) => r.int16(), encode: (w, v: number) => w.int16(v) },
  uint16: { leastBytes: 2, decode: (r) => r.uint16(), encode: (w, v: number) => w.uint16(v) },
  int32: { leastBytes: 4, decode: (r) => r.int32(), encode: (w, v: number) => w.int32(v) },
  int64: { leastBytes: 8, decode: (r) => r.int64(), encode: (w, v: number) => w.int64(v) },
  float64: { leastBytes: 8, decode: (r) => r.float64(), encode: (w, v: number) => w.float64(v) },
  uuid: { leastBytes: 16, decode: (r) => r.uuid(), encode: (w, v: string) => w.uuid(v) },
};

function compilePrimitive(kind: Primitive, nullable: boolean, compact: boolean): Codec {
  if (kind === "string") return compileString(nullable, compact);
  if (kind === "bytes") return compileBytes(nullable, compact);
  if (kind === "records") return compileRecords(nullable, compact);
  return fixed[kind];
}

function compileString(nullable: boolean, compact: boolean): Codec {
  return {
    leastBytes: compact ? 1 : 2,
    decode(reader) {
      const length = compact ? reader.unsignedVarint() - 1 : reader.int16();
      return length < 0 ? nullOf(reader, nullable, length, "string") : reader.utf8(length);
    },
    encode(writer, value: string | null) {
      if (value === null && !nullable) throw new EncodeError("null in a string that is not nullable");
      const length = value === null ? -1 : Buffer.byteLength(value);
      if (compact) writer.unsignedVarint(length + 1);
      else writer.int16(length);
      if (value !== null) writer.utf8(value, length);
    },
  };
}

function decodeBytes(reader: Reader, nullable: boolean, compact: boolean): Buffer | null {
  const length = compact ? reader.unsignedVarint() - 1 : reader.int32();
  return length < 0 ? nullOf(reader, nullable, length, "byte string") : reader.slice(length);
}

function encodeBytes(
  writer: Writer,
  parts: readonly Buffer[] | null,
  nullable: boolean,
  compact: boolean,
): void {
  if (parts === null && !nullable) throw new EncodeError("null in a byte string that is not nullable");
  const length = parts === null ? -1 : parts.reduce((sum, part) => sum + part.length, 0);
  if (compact) writer.unsignedVarint(length + 1);
  else writer.int32(length);
  if (parts !== null) for (const part of parts) writer.bytes(part);
}

function compileBytes(nullable: boolean, compact: boolean): Codec {
  return {
    leastBytes: compact ? 1 : 4,
    decode: (reader) => decodeBytes(reader, nullable, compact),
    encode: (writer, value: Buffer | null) =>
      encodeBytes(writer, value === null ? null : [value], nullable, compact),
  };
}

function compileRecords(nullable: boolean, compact: boolean): Codec {
  return {
    leastBytes: compact ? 1 : 4,
    decode: (reader) => decodeBytes(reader, nullable, compact),
    encode: (writer, value: readonly Buffer[] | null) => encodeBytes(writer, value, nullable, compact),
  };
}

/** Decoder and encoder of one message in one version. */
export interface MessageCodec<Out, In> {
  /** Reads to the end; bytes left over are an error, but for the exceptions that the schema names. */
  decode(reader: Reader): Out;
  encode(writer: Writer, value: In): void;
}

const compiled = new WeakMap<Fields, Map<number, Codec>>();

function codecOf(fields: Fields, description: Api, version: number): Codec {
  let versions = compiled.get(fields);
  if (versions === undefined) {
    versions = new Map();
    compiled.set(fields, versions);
  }
  let codec = versions.get(version);
  if (codec === undefined) {
    codec = compileStruct(fields, { version, flexible: isFlexible(description, version) });
    versions.set(version, codec);
  }
  return codec;
}

/** The codec of an API's request in one version; compiled at its first use. */
export function requestCodec<A extends Api>(
  description: A,
  version: number,
): MessageCodec<RequestOf<A>, Encodable<A["request"]>> {
  const { trailingBytesSince } = description;
  const strict = trailingBytesSince === undefined || version < trailingBytesSince;
  return messageCodec(codecOf(description.request, description, version), strict);
}

/** The codec of an API's response in one version; compiled at its first use. */
export function responseCodec<A extends Api>(
  description: A,
  version: number,
): MessageCodec<Decoded<A["response"]>, ResponseOf<A>> {
  return messageCodec(codecOf(description.response, description, version), true);
}

function messageCodec<Out, In>(codec: Codec, strict: boolean): MessageCodec<Out, In> {
  return {
    decode(reader) {
      const value = codec.decode(reader);
      if (strict) reader.expectEnd();
      return value as Out;
    },
    encode: (writer, value) => codec.encode(writer, value as never),
  };
}
