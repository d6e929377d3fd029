/** What each room of viewers has been told, and what to tell it next. A room watches one device. */
import type { Batch, KpiTile, Snapshot, Watch } from "@kelvin/schema/live";
import type { Clock } from "@kelvin/service-kit";
import type { Device } from "./devices.ts";
import { keptMs } from "./rings.ts";
import type { LiveState } from "./state.ts";

/** What is to be sent. */
export type News = { event: "snapshot"; data: Snapshot } | { event: "batch"; data: Batch };

interface Told {
  /** Position after the last reading that the room was sent; undefined while the device was never heard. */
  next: number | undefined;
  /** Whether any viewer has heard of the device, be it at its welcome: then it has to hear when the device is forgotten. */
  isHeard: boolean;
  tiles: string;
}

const NO_READINGS = { t0: 0, dt: [], celsius: [] };

export interface RoomsOptions {
  /** Names this run of the server: positions of another one mean nothing here. */
  readonly boot: string;
  readonly state: LiveState;
  readonly clock: Clock;
  /** How far back a snapshot goes, unless more is asked for. */
  readonly windowMs: number;
}

export class Rooms {
  readonly boot: string;
  readonly #state: LiveState;
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #told = new Map<string, Told>();

  constructor({ boot, state, clock, windowMs }: RoomsOptions) {
    this.boot = boot;
    this.#state = state;
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  get devices(): Iterable<string> {
    return this.#told.keys();
  }

  has(device: string): boolean {
    return this.#told.has(device);
  }

  /**
   * What one more viewer is told first: what it misses, if all of that is there, else everything. What the room is
   * still owed comes to it once more with the next batch, which pages skip by its position: to send that to the whole
   * room at each arrival would cost a frame for each pair of viewers where many come at once.
   */
  welcome(device: string, { have, spanMs }: Omit<Watch, "device">): News {
    const known = this.#state.devices.get(device);
    const told = this.#told.get(device) ?? {
      next: known?.ring.next,
      isHeard: false,
      tiles: textOf(this.#state.tiles(device)),
    };
    told.isHeard ||= known !== undefined;
    this.#told.set(device, told);
    const ring = known?.ring;
    const has = have?.boot === this.boot ? have.next : undefined;
    if (ring === undefined || has === undefined || has < ring.first || has > ring.next) {
      return this.#whole(device, spanMs);
    }
    return this.#batch(device, known, has, this.#state.tiles(device));
  }

  /** What the whole room is owed; undefined: nothing. */
  news(device: string): News | undefined {
    const told = this.#told.get(device);
    if (told === undefined) return undefined;
    const known = this.#state.devices.get(device);
    const tiles = this.#state.tiles(device);
    const { next: from, isHeard } = told;
    const areTilesNew = textOf(tiles) !== told.tiles;
    told.next = known?.ring.next;
    told.isHeard = known !== undefined;
    told.tiles = textOf(tiles);
    if (known === undefined) {
      // Never heard, or forgotten among many.
      if (isHeard) return this.#whole(device);
      return areTilesNew ? this.#batch(device, undefined, 0, tiles) : undefined;
    }
    if (from === undefined || from < known.ring.first || from > known.ring.next) {
      return this.#whole(device);
    }
    if (from === known.ring.next && !areTilesNew) return undefined;
    return this.#batch(device, known, from, areTilesNew ? tiles : null);
  }

  /** Nobody watches the device any more. */
  forget(device: string): void {
    this.#told.delete(device);
  }

  /**
   * The device as it is now; asked for by itself it changes nothing of what rooms are owed.
   *
   * @param span in milliseconds: how far back its readings are to go; null: as far as a chart, unless more is asked for
   */
  snapshot(device: string, span: number | null = null): Snapshot {
    const spanMs = span ?? this.#windowMs;
    const known = this.#state.devices.get(device);
    const nowMs = this.#clock.now();
    known?.ring.dropOld(nowMs);
    const first = known?.ring.firstSince(nowMs - keptMs(spanMs)) ?? 0;
    return {
      boot: this.boot,
      nowMs,
      device,
      known: known !== undefined,
      next: known?.ring.next ?? 0,
      spanMs,
      truncated: known?.ring.isTruncated(nowMs, keptMs(spanMs)) ?? false,
      readings: known?.ring.from(first) ?? NO_READINGS,
      ...lastOf(known),
      kpis: this.#state.tiles(device),
    };
  }

  #whole(device: string, spanMs: number | null = null): News {
    return { event: "snapshot", data: this.snapshot(device, spanMs) };
  }

  #batch(device: string, known: Device | undefined, first: number, kpis: KpiTile[] | null): News {
    return {
      event: "batch",
      data: {
        boot: this.boot,
        nowMs: this.#clock.now(),
        device,
        first,
        readings: known?.ring.from(first) ?? NO_READINGS,
        ...lastOf(known),
        kpis,
      },
    };
  }
}

function lastOf(device: Device | undefined): Pick<Snapshot, "last" | "intervalMs"> {
  if (device === undefined) return { last: null, intervalMs: null };
  const { celsius, change, eventMs, heardMs } = device.last;
  return { last: { celsius, change, eventMs, heardMs }, intervalMs: device.intervalMs };
}

function textOf(tiles: KpiTile[]): string {
  return JSON.stringify(tiles);
}
