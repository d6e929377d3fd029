/** All devices in short, worst first. */
import { FLAG, type Fleet } from "@kelvin/schema/live";
import type { Device, Devices } from "./devices.ts";

/** More devices than these are counted, not listed. */
export const LISTED_MAX = 1_000;

/** The worse, the higher: in alarm, then stale, then ahead of the clock. */
const WEIGHT: readonly [flag: number, weight: number][] = [
  [FLAG.inAlarm, 4],
  [FLAG.stale, 2],
  [FLAG.ahead, 1],
];

interface Row {
  readonly device: Device;
  readonly flags: number;
  readonly badness: number;
}

export function fleetOf(devices: Devices, isInAlarm: (device: string) => boolean, nowMs: number): Fleet {
  const rows: Row[] = [];
  for (const device of devices.all()) {
    const flags =
      (isInAlarm(device.id) ? FLAG.inAlarm : 0) |
      (device.isStale(nowMs) ? FLAG.stale : 0) |
      (device.isAhead ? FLAG.ahead : 0);
    rows.push({ device, flags, badness: badnessOf(flags) });
  }
  const listed = rows.toSorted(worstFirst).slice(0, LISTED_MAX);
  return {
    nowMs,
    total: rows.length,
    inAlarm: rows.filter(({ flags }) => (flags & FLAG.inAlarm) !== 0).length,
    stale: rows.filter(({ flags }) => (flags & FLAG.stale) !== 0).length,
    ids: listed.map(({ device }) => device.id),
    celsius: listed.map(({ device }) => device.last.celsius),
    change: listed.map(({ device }) => device.last.change),
    intervalMs: listed.map(({ device }) => device.intervalMs),
    eventAgeMs: listed.map(({ device }) => nowMs - device.last.eventMs),
    heardAgeMs: listed.map(({ device }) => nowMs - device.last.heardMs),
    flags: listed.map(({ flags }) => flags),
  };
}

function badnessOf(flags: number): number {
  return WEIGHT.reduce((sum, [flag, weight]) => ((flags & flag) === 0 ? sum : sum + weight), 0);
}

function worstFirst(a: Row, b: Row): number {
  return b.badness - a.badness || (a.device.id < b.device.id ? -1 : a.device.id > b.device.id ? 1 : 0);
}
