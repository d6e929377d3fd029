/**
 * The places of the devices in their list: worst first, but steady. One that gets worse moves up at once; one that gets
 * better keeps its place for a while, so that a machine which swings about the limit does not go up and down with each
 * swing. While somebody is in the list no row moves at all: a click must hit what was aimed at.
 */
import type { FleetDevice } from "@kelvin/schema/live";

/** So long a device must be better before it moves down; longer than a wave of the simulated machine. */
export const RECOVERED_MS = 30_000;

/** Where a device belongs by the worst that it lately was. */
interface Rank {
  badness: number;
  /** Since when it is better than its place says; undefined: it is not. */
  betterSinceMs: number | undefined;
}

export interface Ranked {
  readonly devices: readonly FleetDevice[];
  /** True: rows would move if nobody were in the list. */
  readonly isHeld: boolean;
}

export class Ranking {
  readonly #ranks = new Map<string, Rank>();
  /** As they were last shown. */
  #shown: readonly string[] = [];

  /** @param mayMove false: somebody is in the list. New devices then go to its end. */
  order(devices: readonly FleetDevice[], nowMs: number, mayMove: boolean): Ranked {
    this.#forgetOthers(devices);
    const badness = new Map(devices.map((device) => [device.id, this.#badnessOf(device, nowMs)]));
    const worstFirst = [...devices].sort(
      (a, b) => (badness.get(b.id) ?? 0) - (badness.get(a.id) ?? 0) || (a.id < b.id ? -1 : 1),
    );
    const ordered = mayMove ? worstFirst : this.#asShown(worstFirst);
    const isHeld = ordered.some(({ id }, i) => id !== worstFirst[i]?.id);
    this.#shown = ordered.map(({ id }) => id);
    return { devices: ordered, isHeld };
  }

  #badnessOf(device: FleetDevice, nowMs: number): number {
    const badness = badnessNow(device);
    const rank = this.#ranks.get(device.id);
    if (rank === undefined || badness >= rank.badness) {
      this.#ranks.set(device.id, { badness, betterSinceMs: undefined });
      return badness;
    }
    rank.betterSinceMs ??= nowMs;
    if (nowMs - rank.betterSinceMs >= RECOVERED_MS) {
      rank.badness = badness;
      rank.betterSinceMs = undefined;
    }
    return rank.badness;
  }

  #asShown(devices: readonly FleetDevice[]): FleetDevice[] {
    const places = new Map(this.#shown.map((id, i) => [id, i]));
    const placeOf = ({ id }: FleetDevice) => places.get(id) ?? Number.MAX_SAFE_INTEGER;
    return [...devices].sort((a, b) => placeOf(a) - placeOf(b));
  }

  #forgetOthers(devices: readonly FleetDevice[]): void {
    if (this.#ranks.size <= devices.length) return;
    const there = new Set(devices.map(({ id }) => id));
    for (const id of this.#ranks.keys()) if (!there.has(id)) this.#ranks.delete(id);
  }
}

/** As the server ranks them: in alarm, then silent, then ahead of the clock. */
function badnessNow({ inAlarm, stale, ahead }: FleetDevice): number {
  return (inAlarm ? 4 : 0) + (stale ? 2 : 0) + (ahead ? 1 : 0);
}
