/** The example's topics, written by hand. A schema library makes this shorter: packages/schema uses zod. */
import type { TopicLike } from "@kelvin/streams";

export interface Reading {
  readonly device: string;
  readonly atMs: number;
  readonly celsius: number;
}

export interface Average {
  readonly device: string;
  readonly untilMs: number;
  /** Null if there were no readings. */
  readonly celsius: number | null;
}

export const readings = jsonTopic<Reading>(
  "readings",
  isReading,
  ({ device }) => device,
  ({ atMs }) => atMs,
);
export const hot = jsonTopic<Reading>(
  "hot",
  isReading,
  ({ device }) => device,
  ({ atMs }) => atMs,
);
export const averages = jsonTopic<Average>(
  "averages",
  isAverage,
  ({ device }) => device,
  ({ untilMs }) => untilMs,
);

function jsonTopic<T>(
  name: string,
  is: (json: unknown) => json is T,
  key: (value: T) => string,
  eventTimeMs: (value: T) => number,
): TopicLike<T> {
  return {
    name,
    key,
    eventTimeMs,
    partitions: 3,
    configEntries: { "retention.ms": "604800000" },
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode(bytes) {
      try {
        const json: unknown = JSON.parse(Buffer.from(bytes ?? []).toString("utf8"));
        return is(json)
          ? { ok: true, value: json }
          : { ok: false, problems: ["a field is missing or has the wrong type"] };
      } catch (error) {
        return { ok: false, problems: [String(error)] };
      }
    },
  };
}

function isReading(json: unknown): json is Reading {
  return has(json, "device", "string") && has(json, "atMs", "number") && has(json, "celsius", "number");
}

function isAverage(json: unknown): json is Average {
  return has(json, "device", "string") && has(json, "untilMs", "number");
}

function has(json: unknown, field: string, type: string): boolean {
  return (
    typeof json === "object" &&
    json !== null &&
    typeof Object.entries(json).find(([name]) => name === field)?.[1] === type
  );
}
