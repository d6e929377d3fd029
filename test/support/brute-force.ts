/** What the pipelines must say of a list of readings, computed the slow and plain way from the definitions. */
import { Alert, instantOf, Kpi, SensorReading } from "@kelvin/schema";
import type { LoggedRecord } from "@kelvin/test-kit";

export interface TimedValue {
  device: string;
  timeMs: number;
  celsius: number;
}

/** The readings in `sensor` records; what is no reading is left out. */
export function readingsOf(records: readonly LoggedRecord[]): TimedValue[] {
  return records.flatMap((record) => {
    const parsed = SensorReading.safeParse(jsonOf(record));
    if (!parsed.success) return [];
    const { device_id: device, temperature: celsius, timestamp } = parsed.data;
    return [{ device, celsius, timeMs: instantOf(timestamp) ?? record.timestampMs }];
  });
}

/** The alerts in `alert` records. */
export function alertsOf(records: readonly LoggedRecord[]): TimedValue[] {
  return records.map((record) => {
    const { device_id: device, celsius, timestamp } = Alert.parse(jsonOf(record));
    return { device, celsius, timeMs: instantOf(timestamp) ?? record.timestampMs };
  });
}

/** Of each KPI, device and window end the value with the highest revision, by `name/device/end in ms`. */
export function kpiTable(records: readonly LoggedRecord[]): Map<string, number | null> {
  const revisions = new Map<string, number>();
  const table = new Map<string, number | null>();
  for (const record of records) {
    const kpi = Kpi.parse(jsonOf(record));
    const cell = `${kpi.name}/${kpi.device_id}/${Date.parse(kpi.window_end)}`;
    const revision = Number(record.headers["kelvin-revision"] ?? 0);
    if (revision < (revisions.get(cell) ?? 0)) continue;
    revisions.set(cell, revision);
    table.set(cell, kpi.value);
  }
  return table;
}

interface WindowRule {
  name: Kpi["name"];
  sizeMs: number;
  everyMs: number;
  /** The value of a window that holds these, which may be none. */
  value: (inside: readonly TimedValue[]) => number | null;
}

export const ALERT_COUNT: WindowRule = {
  name: "alert_count",
  sizeMs: 5000,
  everyMs: 1000,
  value: (inside) => inside.length,
};

export const AVERAGE_TEMPERATURE: WindowRule = {
  name: "average_temperature",
  sizeMs: 10_000,
  everyMs: 1000,
  value: (inside) =>
    inside.length === 0 ? null : inside.reduce((sum, { celsius }) => sum + celsius, 0) / inside.length,
};

/**
 * Every cell that must be in the table once time has gone past all of it: the windows that hold something, and the
 * first empty one behind them.
 */
export function expectedKpis(values: readonly TimedValue[], rule: WindowRule): Map<string, number | null> {
  const table = new Map<string, number | null>();
  for (const device of new Set(values.map((value) => value.device))) {
    const own = values.filter((value) => value.device === device);
    const ends = new Set<number>();
    for (const { timeMs } of own) {
      const first = Math.floor(timeMs / rule.everyMs) * rule.everyMs + rule.everyMs;
      // One further than the record's last window: that one may be empty, and is then said once.
      for (let end = first; end <= first + rule.sizeMs; end += rule.everyMs) ends.add(end);
    }
    for (const end of ends) {
      const inside = own.filter(({ timeMs }) => end - rule.sizeMs <= timeMs && timeMs < end);
      table.set(`${rule.name}/${device}/${end}`, rule.value(inside));
    }
  }
  return table;
}

function jsonOf(record: LoggedRecord): unknown {
  try {
    return JSON.parse(record.value ?? "");
  } catch {
    return undefined;
  }
}
