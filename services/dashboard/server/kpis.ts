/** The newest KPIs of each device, and what their tiles may say. */
import { KPIS, type KpiName, type KpiTile, type PipelineName } from "@kelvin/schema/live";
import { RecencyMap } from "./recency.ts";

/** How long after its window's length without a newer result a value is no longer the present. */
const EXPIRES_MS = 5_000;

export interface KpiResult {
  readonly name: KpiName;
  readonly value: number | null;
  readonly windowSeconds: number;
  readonly windowEndMs: number;
  /** 0 for the first result of a window, more for each correction. */
  readonly revision: number;
  readonly heardMs: number;
}

export class KpiTable {
  readonly #maxDevices: number;
  /** In the order of their newest result: the least recent first. */
  readonly #byDevice = new RecencyMap<Map<KpiName, KpiResult>>();

  /** @param maxDevices the device with the least recent result makes way for one more */
  constructor(maxDevices: number) {
    this.#maxDevices = maxDevices;
  }

  /**
   * Keeps the result with the highest window end and revision, so that repeated and late ones are harmless. One that
   * claims to be of the future holds only until it expires: it would keep the true ones out for ever.
   */
  put(device: string, result: KpiResult): boolean {
    const results = this.#byDevice.get(device) ?? new Map<KpiName, KpiResult>();
    const kept = results.get(result.name);
    const isOver =
      kept !== undefined && kept.windowEndMs > result.heardMs && hasExpired(kept, result.heardMs);
    if (kept !== undefined && !isOver && !isNewer(result, kept)) return false;
    results.set(result.name, result);
    this.#byDevice.touch(device, results);
    if (this.#byDevice.size > this.#maxDevices) this.#byDevice.dropOldest();
    return true;
  }

  /**
   * The tiles of a device. A number is shown only while every pipeline that makes it is up to date: a silent topic
   * looks the same whether all is well or a pipeline is dead.
   */
  tiles(device: string, nowMs: number, isUpToDate: (pipeline: PipelineName) => boolean): KpiTile[] {
    return KPIS.map(({ name, unit, needs }) => {
      const result = this.#byDevice.get(device)?.get(name);
      const windowEndMs = result?.windowEndMs ?? null;
      const because = needs.filter((pipeline) => !isUpToDate(pipeline));
      if (because.length > 0) return { name, state: "unknown", value: null, windowEndMs, because };
      if (result === undefined || result.value === null || hasExpired(result, nowMs)) {
        return { name, state: "empty", value: unit === "alerts" ? 0 : null, windowEndMs, because };
      }
      return { name, state: "value", value: result.value, windowEndMs, because };
    });
  }

  get size(): number {
    return this.#byDevice.size;
  }
}

function isNewer(a: KpiResult, b: KpiResult): boolean {
  return a.windowEndMs !== b.windowEndMs ? a.windowEndMs > b.windowEndMs : a.revision > b.revision;
}

/** The pipelines tell a device's end of silence with an empty result; one that lost its state does not. */
function hasExpired(result: KpiResult, nowMs: number): boolean {
  return nowMs - result.heardMs > result.windowSeconds * 1_000 + EXPIRES_MS;
}
