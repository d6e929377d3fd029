/** The last 100 s of each listed device in a few points: first as the server tells it, then as its summaries continue. */
import type { Fleet, Trends as ToldTrends } from "@kelvin/schema/live";

/** So many points as the server tells at most. */
const POINTS = 20;
const DEFAULT_STEP_MS = 5_000;

/** In °C, the oldest first; null: no reading in that step. */
export type Trend = readonly (number | null)[];

export class Trends {
  readonly #byDevice = new Map<string, (number | null)[]>();
  #stepMs = DEFAULT_STEP_MS;
  #nextMs = -Infinity;
  /** Raised with each change: lines are redrawn only then. */
  revision = 0;

  of(device: string): Trend {
    return this.#byDevice.get(device) ?? [];
  }

  told({ ids, deciCelsius, nowMs, stepMs }: ToldTrends): void {
    this.#byDevice.clear();
    for (const [i, id] of ids.entries()) {
      const points = deciCelsius[i]?.slice(-POINTS) ?? [];
      this.#byDevice.set(
        id,
        points.map((deci) => (deci === null ? null : deci / 10)),
      );
    }
    this.#stepMs = Math.max(1_000, stepMs);
    this.#nextMs = nowMs + this.#stepMs;
    this.revision++;
  }

  /** Takes one point a step from the summaries, which come more often, and forgets devices that are no longer listed. */
  heard({ nowMs, ids, celsius, heardAgeMs }: Fleet): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + this.#stepMs;
    const listed = new Set(ids);
    for (const id of this.#byDevice.keys()) if (!listed.has(id)) this.#byDevice.delete(id);
    for (const [i, id] of ids.entries()) {
      const points = this.#byDevice.get(id) ?? [];
      const isSilent = (heardAgeMs[i] ?? 0) > this.#stepMs;
      points.push(isSilent ? null : (celsius[i] ?? null));
      if (points.length > POINTS) points.shift();
      this.#byDevice.set(id, points);
    }
    this.revision++;
  }
}

/** A calm machine's noise is not to look like a storm: a line of less than this many degrees does not fill the height. */
const LEAST_SPREAD = 8;

/**
 * The points as a path of SVG, `width` wide and `height` high, the newest at the right edge; "" for fewer than two.
 * A pause is a gap.
 */
export function pathOf(points: Trend, width: number, height: number): string {
  const known = points.filter((point) => point !== null);
  if (known.length < 2) return "";
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const spread = Math.max(LEAST_SPREAD, high - low);
  const bottom = (low + high - spread) / 2;
  let path = "";
  let isDown = false;
  for (const [i, point] of points.entries()) {
    if (point !== null) {
      const x = width - ((points.length - 1 - i) * width) / (POINTS - 1);
      const y = height - ((point - bottom) / spread) * height;
      path += `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    }
    isDown = point !== null;
  }
  return path;
}
