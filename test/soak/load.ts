/** What devices send in a soak, all of it from one seed: readings in time and late, some of them beyond what counts, and no readings. */
import { type SensorReading, sensorTopic } from "@kelvin/schema";
import type { TopicLike } from "@kelvin/streams";

/** What must become of a record: it counts, or it is a dead letter of every pipeline that looks at its time. */
export type Fate = "counts" | "late" | "future" | "undecodable";

export interface Sent {
  readonly device: string;
  readonly value: Buffer;
  readonly fate: Fate;
  /** When it was sent: becomes Kafka's timestamp, from which a judge can tell the fate. */
  readonly sentMs: number;
}

/** Carries bytes, whatever they are. */
export const rawSensorTopic: TopicLike<Sent> = {
  name: sensorTopic.name,
  partitions: sensorTopic.partitions,
  configEntries: sensorTopic.configEntries,
  decode: () => ({ ok: false, problems: ["it is written only"] }),
  encode: ({ value }) => value,
  key: ({ device }) => device,
  eventTimeMs: ({ sentMs }) => sentMs,
};

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const LATE_MS = 300_000;
const FUTURE_MS = 600_000;

export class Load {
  readonly #random: () => number;
  readonly #devices: readonly string[];

  constructor(random: () => number, devices: number) {
    this.#random = random;
    this.#devices = Array.from({ length: devices }, (_, i) => `machine-${String(i + 1).padStart(2, "0")}`);
  }

  /** One of each device, hot: from here on every partition has a time. */
  first(nowMs: number): Sent[] {
    return this.#devices.map((device) => reading(device, nowMs, 0, 45, "counts"));
  }

  /** What comes of a moment. */
  next(nowMs: number): Sent[] {
    return this.#devices.flatMap((device) => (this.#random() < 0.3 ? [this.#one(device, nowMs)] : []));
  }

  #one(device: string, nowMs: number): Sent {
    const celsius = Math.round((27 + 6 * this.#random()) * 100) / 100;
    const kind = this.#random();
    if (kind < 0.02)
      return { device, value: Buffer.from(`{"device_id":"${device}"`), fate: "undecodable", sentMs: nowMs };
    if (kind < 0.04) return reading(device, nowMs, -LATE_MS, celsius, "late");
    if (kind < 0.05) return reading(device, nowMs, FUTURE_MS, celsius, "future");
    const lateMs = kind < 0.2 ? Math.floor(5_000 * this.#random()) : 0;
    return reading(device, nowMs, -lateMs, celsius, "counts");
  }
}

function reading(device: string, sentMs: number, shiftMs: number, temperature: number, fate: Fate): Sent {
  const timestamp = new Date(sentMs + shiftMs).toISOString();
  const value: SensorReading = { device_id: device, timestamp, temperature };
  return { device, value: Buffer.from(JSON.stringify(value)), fate, sentMs };
}

/** What must become of a reading of that time. */
export function fateOf(timeMs: number, sentMs: number): Fate {
  if (timeMs - sentMs < -LATE_MS / 2) return "late";
  return timeMs - sentMs > FUTURE_MS / 2 ? "future" : "counts";
}
