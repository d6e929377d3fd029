import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Machine, temperatureOf } from "./simulate.ts";

const machine: Machine = {
  base: 22,
  amplitude: 15,
  frequency: 0.05,
  phase: 0,
  noise: 2,
  outlierProbability: 0.05,
  seed: 1,
};
const START_MS = Date.UTC(2026, 0, 1);

/** The wave alone, without chance. */
function wave(timeMs: number): number {
  return 22 + 15 * Math.sin((2 * Math.PI * 0.05 * timeMs) / 1000);
}

/** What chance added, second by second; noise is cut to what stands out of it. */
function deviations(of: Machine, device: string, count: number): number[] {
  return Array.from({ length: count }, (_, second) => {
    const timeMs = START_MS + second * 1000;
    return temperatureOf(of, device, timeMs) - wave(timeMs);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("a simulated temperature", () => {
  test("depends on seed, device and time, and on nothing else", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.nat({ max: 4e12 }), (seed, device, timeMs) => {
        const first = temperatureOf({ ...machine, seed }, device, timeMs);
        temperatureOf(machine, "another", timeMs + 1);
        expect(temperatureOf({ ...machine, seed }, device, timeMs)).toBe(first);
      }),
    );
  });

  test("is another with another seed, device or second", () => {
    const one = deviations(machine, "machine-01", 50);
    expect(deviations({ ...machine, seed: 2 }, "machine-01", 50)).not.toEqual(one);
    expect(deviations(machine, "machine-02", 50)).not.toEqual(one);
    expect(new Set(one).size).toBeGreaterThan(45);
  });

  test("is finite and has two decimals", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.nat({ max: 4e12 }), (seed, device, timeMs) => {
        const temperature = temperatureOf({ ...machine, seed }, device, timeMs);
        expect(Number.isFinite(temperature)).toBe(true);
        expect(Number(temperature.toFixed(2))).toBe(temperature);
      }),
    );
  });

  test("without noise and outliers is the wave: 22 °C, 37 °C a quarter period later, 7 °C at three quarters", () => {
    const calm = { ...machine, noise: 0, outlierProbability: 0 };
    const at = [0, 5, 10, 15, 20].map((second) =>
      temperatureOf(calm, "machine-01", START_MS + second * 1000),
    );
    expect(at).toEqual([22, 37, 22, 7, 22]);
  });

  test("has gaussian noise of mean 0 and standard deviation 2", () => {
    const noise = deviations({ ...machine, outlierProbability: 0 }, "machine-01", 50_000);
    const deviation = Math.sqrt(mean(noise.map((value) => value ** 2)));
    expect(mean(noise)).toBeCloseTo(0, 1);
    expect(deviation).toBeGreaterThan(1.97);
    expect(deviation).toBeLessThan(2.03);
    const beyondTwo = noise.filter((value) => Math.abs(value) > 2 * 2).length / noise.length;
    expect(beyondTwo).toBeGreaterThan(0.042);
    expect(beyondTwo).toBeLessThan(0.049);
  });

  test("is an outlier in 5 % of the readings, half of them 20 too hot and half 50", () => {
    const still = deviations({ ...machine, noise: 0 }, "machine-01", 50_000).map(Math.round);
    const share = (value: number) => still.filter((deviation) => deviation === value).length / still.length;
    expect(share(0)).toBeGreaterThan(0.945);
    expect(share(0)).toBeLessThan(0.955);
    for (const outlier of [20, 50]) {
      expect(share(outlier)).toBeGreaterThan(0.022);
      expect(share(outlier)).toBeLessThan(0.028);
    }
    expect(new Set(still)).toEqual(new Set([0, 20, 50]));
  });

  test("of two devices is not related", () => {
    const [a, b] = ["machine-01", "machine-02"].map((device) =>
      deviations({ ...machine, outlierProbability: 0 }, device, 20_000),
    );
    const covariance = mean((a ?? []).map((value, index) => value * (b?.[index] ?? Number.NaN)));
    expect(Math.abs(covariance / 4)).toBeLessThan(0.03);
  });
});
