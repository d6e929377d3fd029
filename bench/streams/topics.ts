/** Topics as both sides read and write them: JSON, and a check by hand, so that no schema library is measured. */
import type { Decoded, TopicLike } from "@kelvin/streams";

export interface Reading {
  readonly timestamp: string;
  readonly device_id: string;
  readonly temperature: number;
}

export interface Alert {
  readonly celsius: number;
  readonly fahrenheit: number;
  readonly kelvin: number;
  readonly device_id: string;
  readonly timestamp: string;
}

export interface Kpi {
  readonly name: "average_temperature" | "alert_count";
  readonly device_id: string;
  readonly value: number | null;
  readonly window_start: string;
  readonly window_end: string;
}

export const PARTITIONS = 4;
export const ALERT_ABOVE_KELVIN = 303;
export const ALERT_ABOVE_CELSIUS = ALERT_ABOVE_KELVIN - 273.15;

const round2 = (value: number) => Math.round(value * 100) / 100;

export function toAlert({ timestamp, device_id, temperature: celsius }: Reading): Alert {
  const fahrenheit = round2(celsius * 1.8 + 32);
  return { celsius, fahrenheit, kelvin: round2(celsius + 273.15), device_id, timestamp };
}

export const sensorTopic = (name: string) =>
  jsonTopic<Reading>(name, isReading, ({ timestamp }) => timestamp);
export const alertTopic = (name: string) => jsonTopic<Alert>(name, isAlert, ({ timestamp }) => timestamp);
export const kpiTopic = (name: string) => jsonTopic<Kpi>(name, isKpi, ({ window_end }) => window_end);

interface JsonTopic<T> extends Omit<TopicLike<T>, "encode"> {
  encode(value: T): Buffer;
}

function jsonTopic<T extends { readonly device_id: string }>(
  name: string,
  isValue: (value: unknown) => value is T,
  timestampOf: (value: T) => string,
): JsonTopic<T> {
  return {
    name,
    partitions: PARTITIONS,
    configEntries: {},
    decode: (bytes): Decoded<T> => {
      const value: unknown = bytes === null ? null : parsed(bytes);
      return isValue(value) ? { ok: true, value } : { ok: false, problems: [`not of topic ${name}`] };
    },
    encode: (value) => Buffer.from(JSON.stringify(value)),
    key: ({ device_id }) => device_id,
    eventTimeMs: (value) => Date.parse(timestampOf(value)),
  };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse((Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)).toString());
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isReading(value: unknown): value is Reading {
  if (!isObject(value)) return false;
  const { timestamp, device_id, temperature } = value;
  return typeof timestamp === "string" && typeof device_id === "string" && typeof temperature === "number";
}

function isAlert(value: unknown): value is Alert {
  return isObject(value) && typeof value["kelvin"] === "number" && typeof value["timestamp"] === "string";
}

function isKpi(value: unknown): value is Kpi {
  return isObject(value) && typeof value["name"] === "string" && typeof value["window_end"] === "string";
}
