/** The settings of the producer, from the environment. */
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sensorTopic } from "@kelvin/schema";
import { decimal, integer, topicName } from "@kelvin/service-kit";
import * as z from "zod";
import type { ReplayOptions } from "./replay.ts";
import type { Machine } from "./simulate.ts";

/** The series of a real machine that comes with the project, and the unit its numbers read as (it states none). */
const SHIPPED = {
  file: fileURLToPath(new URL("../data/machine_temperature_system_failure.csv", import.meta.url)),
  unit: "fahrenheit",
} as const;

const SHIPPED_NAME = "shipped";

export const Settings = z.object({
  SENSOR_TOPIC: topicName(sensorTopic.name),
  /** How many machines are simulated; they are called machine-01, machine-02, ... */
  DEVICES: integer({ min: 1, max: 100_000 }).default(1),
  /** How often each of them is read. */
  INTERVAL_MS: integer({ min: 10, max: 86_400_000 }).default(1000),
  /** The same seed gives the same readings at the same times. */
  SEED: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).default(1),
  BASE_CELSIUS: decimal({ min: -200, max: 10_000 }).default(22),
  AMPLITUDE_CELSIUS: decimal({ min: 0, max: 10_000 }).default(15),
  /** Waves a second: 0.05 is one in 20 s. */
  FREQUENCY_HZ: decimal({ min: 0, max: 1000 }).default(0.05),
  /** Standard deviation of the noise. */
  NOISE_CELSIUS: decimal({ min: 0, max: 10_000 }).default(2),
  /** How likely a reading is 20 or 50 degrees too hot. */
  OUTLIER_PROBABILITY: decimal({ min: 0, max: 1 }).default(0.05),
  /** A CSV file of real readings to send in place of simulated ones; `shipped` is the project's own. */
  REPLAY: z
    .string()
    .refine((file) => file === SHIPPED_NAME || isFile(file), "is not a readable file")
    .optional(),
  /** How much faster than it was: 300 makes five minutes a second. */
  REPLAY_SPEED: decimal({ min: 0.001, max: 1_000_000 }).default(300),
  /** The unit of the file's numbers; fahrenheit for the shipped series, celsius for any other. */
  REPLAY_UNIT: z
    .enum(["celsius", "fahrenheit", "kelvin"], "must be celsius, fahrenheit or kelvin")
    .optional(),
  /** The device of a file that has no column `device_id`. */
  REPLAY_DEVICE: z.string().min(1).max(64).default("machine-01"),
  /** After the last row: `loop` begins again with the first, `stop` ends the producer. */
  REPLAY_AT_END: z.enum(["loop", "stop"], "must be loop or stop").default("loop"),
  /** How many readings are buffered while Kafka is unreachable; beyond that the oldest are dropped, which is logged. */
  BUFFER_READINGS: integer({ min: 1, max: 10_000_000 }).default(10_000),
});
export type Settings = z.output<typeof Settings>;

export function machineOf(settings: Settings): Machine {
  return {
    base: settings.BASE_CELSIUS,
    amplitude: settings.AMPLITUDE_CELSIUS,
    frequency: settings.FREQUENCY_HZ,
    phase: 0,
    noise: settings.NOISE_CELSIUS,
    outlierProbability: settings.OUTLIER_PROBABILITY,
    seed: settings.SEED,
  };
}

/** machine-01, machine-02, ... */
export function deviceNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `machine-${String(index + 1).padStart(2, "0")}`);
}

/** What to replay; undefined where readings are simulated. */
export function replayOf(settings: Settings): ReplayOptions | undefined {
  if (settings.REPLAY === undefined) return undefined;
  const isShipped = settings.REPLAY === SHIPPED_NAME;
  return {
    file: isShipped ? SHIPPED.file : settings.REPLAY,
    unit: settings.REPLAY_UNIT ?? (isShipped ? SHIPPED.unit : "celsius"),
    speed: settings.REPLAY_SPEED,
    device: settings.REPLAY_DEVICE,
    atEnd: settings.REPLAY_AT_END,
  };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
