/** The input of every run: readings of many devices in order of time, the same each time, and what has to come of them. */
import kafkajs, { type Kafka } from "kafkajs";
import { ALERT_ABOVE_CELSIUS, type Reading, sensorTopic } from "./topics.ts";

const MEAN_WINDOW_MS = 10_000;
const COUNT_WINDOW_MS = 5_000;
const SECOND_MS = 1_000;
const SENT_TOGETHER = 5_000;
/** Some readings follow so much later, so that every window of those that count is closed. */
const CLOSING_AFTER_MS = 60_000;

export interface Input {
  readonly readings: readonly Reading[];
  /** How many alerts W1 makes of them. */
  readonly alerts: number;
  /** How many windows W2 makes of them. */
  readonly windows: number;
}

/** Each device once a second: the tutorial's wave, each with a phase of its own, and noise. */
export function inputOf(count: number, devices: number): Input {
  // All of it lies in the past: no record is from the future.
  const endMs = Math.floor(Date.now() / MEAN_WINDOW_MS) * MEAN_WINDOW_MS - 2 * CLOSING_AFTER_MS;
  const beganMs = endMs - Math.ceil(count / devices) * SECOND_MS;
  const noise = noiseOf(42);
  const readings = Array.from({ length: count }, (_, index): Reading => {
    const device = index % devices;
    const second = Math.floor(index / devices);
    const wave = 15 * Math.sin(2 * Math.PI * (0.05 * second + device / devices));
    const timestampMs = beganMs + second * SECOND_MS + Math.floor((device * SECOND_MS) / devices);
    return reading(device, timestampMs, 22 + wave + 4 * (noise() - 0.5));
  });
  const means = new Set<string>();
  const counts = new Set<string>();
  let alerts = 0;
  for (const { device_id, timestamp, temperature } of readings) {
    const timeMs = Date.parse(timestamp);
    means.add(`${device_id} ${Math.floor(timeMs / MEAN_WINDOW_MS)}`);
    if (temperature <= ALERT_ABOVE_CELSIUS) continue;
    alerts++;
    counts.add(`${device_id} ${Math.floor(timeMs / COUNT_WINDOW_MS)}`);
  }
  return { readings, alerts, windows: means.size + counts.size };
}

/** Writes them, and behind them one of each device that is hot and much later: it closes the windows. */
export async function fill(kafka: Kafka, topic: string, input: Input, devices: number): Promise<void> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const lastMs = Date.parse(input.readings.at(-1)?.timestamp ?? "");
  const closing = Array.from({ length: devices }, (_, i) => reading(i, lastMs + CLOSING_AFTER_MS, 99));
  const all = [...input.readings, ...closing];
  for (let at = 0; at < all.length; at += SENT_TOGETHER) {
    const messages = all.slice(at, at + SENT_TOGETHER).map((each) => messageOf(topic, each));
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

export function messageOf(topic: string, value: Reading) {
  const { encode, key, eventTimeMs } = sensorTopic(topic);
  return { key: key(value), value: encode(value), timestamp: String(eventTimeMs(value, 0)) };
}

export function reading(device: number, timestampMs: number, celsius: number): Reading {
  return {
    timestamp: new Date(timestampMs).toISOString(),
    device_id: `machine-${String(device).padStart(4, "0")}`,
    temperature: Math.round(celsius * 100) / 100,
  };
}

/** Numbers from 0 to 1, the same for a seed: a linear congruential generator's upper bits (Numerical Recipes). */
function noiseOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
