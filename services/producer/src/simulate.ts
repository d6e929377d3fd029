/** The simulated device: a temperature from (seed, device, time), and from nothing else. */
import { round2 } from "@kelvin/schema";

/** How the machine behaves; degrees Celsius, and hertz. */
export interface Machine {
  base: number;
  amplitude: number;
  frequency: number;
  /** How far into its wave it is at second 0; a part of a whole wave, 0 to 1. */
  phase: number;
  /** Standard deviation of the gaussian noise. */
  noise: number;
  /** How likely a reading is an outlier, which is 20 or 50 too hot. */
  outlierProbability: number;
  seed: number;
}

const OUTLIERS = [20, 50] as const;

/** `base + amplitude * sin(2π * (frequency * t + phase))` at second t, plus noise, and now and then an outlier; 2 decimals. */
export function temperatureOf(machine: Machine, device: string, timeMs: number): number {
  const random = randomNumbers(machine.seed, device, timeMs);
  const wave =
    machine.amplitude * Math.sin(2 * Math.PI * (machine.frequency * (timeMs / 1000) + machine.phase));
  const noise = machine.noise * gaussian(random(), random());
  const isOutlier = random() < machine.outlierProbability;
  const outlier = isOutlier ? OUTLIERS[random() < 0.5 ? 0 : 1] : 0;
  return round2(machine.base + wave + noise + outlier);
}

/** The method of Box and Muller: two even random numbers make a normal one, mean 0 and standard deviation 1. */
function gaussian(u: number, v: number): number {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}

/** Numbers in [0, 1) that only seem random: FNV-1a over what they depend on, then the generator mulberry32. */
function randomNumbers(seed: number, device: string, timeMs: number): () => number {
  let state = 0x811c9dc5;
  for (const character of `${seed}/${device}/${timeMs}`) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
