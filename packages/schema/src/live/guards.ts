/** Guards of what comes in unchecked, put together from small ones, without zod, so that a page's script stays small. */
import { KPIS, PIPELINES } from "../flow.ts";

type Guard<T> = (value: unknown) => value is T;

export const isText = (value: unknown): value is string => typeof value === "string";

export const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);

export const isFlag = (value: unknown): value is boolean => typeof value === "boolean";

export const isPosition = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

export function orNull<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value);
}

export function list<T>(guard: Guard<T>): Guard<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(guard);
}

export function oneOf<T extends string>(...allowed: readonly T[]): Guard<T> {
  return (value): value is T => allowed.some((one) => one === value);
}

/** Asks for all fields of T; further ones, which a newer side may send, are no fault. */
export function record<T extends object>(fields: { [K in keyof T]: Guard<T[K]> }): Guard<T> {
  const checks: [string, Guard<unknown>][] = Object.entries(fields);
  return (value): value is T =>
    typeof value === "object" &&
    value !== null &&
    checks.every(([name, guard]) => Object.hasOwn(value, name) && guard(Reflect.get(value, name)));
}

export const isDeviceId = (value: unknown): value is string =>
  isText(value) && value.length > 0 && value.length <= 64;

export const isKpiName = oneOf(...KPIS.map(({ name }) => name));

export const isPipelineName = oneOf(...PIPELINES.map(({ name }) => name));
