/**
 * How a message is described: one declarative table per API, from which both the codec and the TypeScript types come.
 *
 * A field says from which version (`since`) to which (`until`) it is on the wire, from which it may be null,
 * its default where the wire has none, and its tag where it is a tagged field (KIP-482).
 */

export type Primitive =
  | "bool"
  | "int8"
  | "int16"
  | "uint16"
  | "int32"
  | "int64"
  | "float64"
  | "string"
  | "uuid"
  | "bytes"
  | "records";

export type FieldType =
  | { readonly kind: "primitive"; readonly primitive: Primitive }
  | { readonly kind: "array"; readonly element: FieldType }
  | { readonly kind: "struct"; readonly fields: Fields };

/** One field. `Out` is its type when decoded, `In` when encoded, `Optional` whether an encoder may leave it out. */
export interface Field<Out, In = Out, Optional extends boolean = boolean> {
  readonly type: FieldType;
  readonly since: number;
  readonly until: number;
  /** First version in which null is legal; null where it never is. */
  readonly nullableSince: number | null;
  readonly tag: number | null;
  /** The value where the wire has none. */
  readonly absent: Out;
  readonly optional: Optional;
  /** Only for the types; never set. */
  readonly accepts?: (value: In) => void;
}

export interface Fields {
  readonly [name: string]: Field<unknown, never>;
}

/** What decoding gives: every field is there, in any version. */
export type Decoded<F> = { [K in keyof F]: F[K] extends Field<infer Out, never> ? Out : never };

type OptionalKeys<F> = {
  [K in keyof F]: F[K] extends { readonly optional: true } ? K : never;
}[keyof F];
type InputOf<T> = T extends { readonly accepts?: (value: infer In) => void } ? In : never;

/** What encoding takes: fields with a default may be left out. */
export type Encodable<F> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: InputOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: InputOf<F[K]>;
};

interface FieldOptions<T> {
  since?: number;
  until?: number;
  /** `true`: in every version. */
  nullable?: true | number;
  tag?: number;
  default?: T | null;
}

type OrNull<T, O> = O extends { nullable: true | number } ? T | null : T;
type HasDefault<O> = O extends { default: unknown } ? true : false;

export const ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA";
export const EMPTY_BYTES = Buffer.alloc(0);
const LAST_VERSION = 0x7fff;

function makeField<Out, In, Optional extends boolean>(
  type: FieldType,
  zero: unknown,
  options: FieldOptions<unknown>,
): Field<Out, In, Optional> {
  const field = {
    type,
    since: options.since ?? 0,
    until: options.until ?? LAST_VERSION,
    nullableSince: options.nullable === true ? 0 : (options.nullable ?? null),
    tag: options.tag ?? null,
    absent: options.default === undefined ? zero : options.default,
    optional: options.default !== undefined,
  };
  return field as Field<Out, In, Optional>;
}

function primitive<Out, In = Out>(kind: Primitive, zero: Out) {
  return <const O extends FieldOptions<Out> = Record<never, never>>(
    options?: O,
  ): Field<OrNull<Out, O>, OrNull<In, O>, HasDefault<O>> =>
    makeField({ kind: "primitive", primitive: kind }, zero, options ?? {});
}

export const bool = primitive<boolean>("bool", false);
export const int8 = primitive<number>("int8", 0);
export const int16 = primitive<number>("int16", 0);
export const uint16 = primitive<number>("uint16", 0);
export const int32 = primitive<number>("int32", 0);
/** Exact up to 2^53. */
export const int64 = primitive<number>("int64", 0);
export const float64 = primitive<number>("float64", 0);
export const string = primitive<string>("string", "");
/** 22 characters of URL-safe base 64, as Kafka's tools print ids. */
export const uuid = primitive<string>("uuid", ZERO_UUID);
export const bytes = primitive<Buffer>("bytes", EMPTY_BYTES);
/** Record batches: decoded as one slice, encoded from any number of them, never looked into. */
export const records = primitive<Buffer, readonly Buffer[]>("records", EMPTY_BYTES);

/** An array of a primitive type. */
export function arrayOf<Out, In, const O extends FieldOptions<Out[]> = Record<never, never>>(
  element: Field<Out, In>,
  options?: O,
): Field<OrNull<Out[], O>, OrNull<readonly In[], O>, HasDefault<O>> {
  return makeField({ kind: "array", element: element.type }, [], options ?? {});
}

/** An array of structs. */
export function array<const F extends Fields, const O extends FieldOptions<never[]> = Record<never, never>>(
  fields: F,
  options?: O,
): Field<OrNull<Decoded<F>[], O>, OrNull<readonly Encodable<F>[], O>, HasDefault<O>> {
  return makeField({ kind: "array", element: { kind: "struct", fields } }, [], options ?? {});
}

/** A struct; null where `nullable` allows it. */
export function struct<const F extends Fields, const O extends FieldOptions<null> = Record<never, never>>(
  fields: F,
  options?: O,
): Field<OrNull<Decoded<F>, O>, OrNull<Encodable<F>, O>, HasDefault<O>> {
  return makeField({ kind: "struct", fields }, null, options ?? {});
}

/** A struct in a tagged field: null means that the tag is not there. */
export function taggedStruct<const F extends Fields>(
  fields: F,
  options: { since: number; tag: number },
): Field<Decoded<F> | null, Encodable<F> | null, true> {
  return makeField({ kind: "struct", fields }, null, { ...options, default: null });
}

/** One API of the protocol: its key, the versions that are served, the first one with compact types, both messages. */
export interface Api<Req extends Fields = Fields, Res extends Fields = Fields> {
  readonly key: number;
  readonly name: string;
  /** First and last version, inclusive. */
  readonly versions: readonly [number, number];
  /** First version with compact types and tagged fields; null where no version has them. */
  readonly flexible: number | null;
  /**
   * First version whose requests may have bytes too many at their end, which everywhere else are an error. Apache Kafka
   * never looks for them, so that some client's mistake has become a habit.
   */
  readonly trailingBytesSince?: number;
  readonly request: Req;
  readonly response: Res;
}

export function api<const Req extends Fields, const Res extends Fields>(
  description: Api<Req, Res>,
): Api<Req, Res> {
  return description;
}

export type RequestOf<A> = A extends { readonly request: infer F } ? Decoded<F> : never;
export type ResponseOf<A> = A extends { readonly response: infer F } ? Encodable<F> : never;

/** Whether a version of an API uses compact types, tagged fields and the header with tags. */
export function isFlexible(description: Pick<Api, "flexible">, version: number): boolean {
  return description.flexible !== null && version >= description.flexible;
}
