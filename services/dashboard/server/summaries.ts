/** The summary of all devices, as every page is told it once a second: in waves, not to all pages at once. */
import type { Fleet } from "@kelvin/schema/live";
import type { Cancel, Clock } from "@kelvin/service-kit";
import { fleetOf } from "./fleet.ts";
import type { LiveState } from "./state.ts";

const EVERY_MS = 1_000;
/** A second has so many: of 1,000 devices and pages it tells 60 MB, and a reading must not wait behind all of them. */
export const WAVES = 10;
const WAVE_MS = EVERY_MS / WAVES;
/** So many pages fill a wave before the next one begins: each wave puts the summary into words once. */
const WAVE_PAGES = 50;
/** How long a summary may be given to those who ask. */
const KEPT_MS = 200;

export class Summaries {
  readonly #state: LiveState;
  readonly #clock: Clock;
  readonly #tell: (wave: number) => void;
  #made: { atMs: number; fleet: Fleet } | undefined;
  #pages = 0;
  #wave = 0;
  #timer: Cancel = () => {};
  /** When the next wave should go. */
  #dueMs: number;
  #stalledMs = 0;

  /** @param tell called ten times a second, each wave in its turn: 0 begins a second */
  constructor(state: LiveState, clock: Clock, tell: (wave: number) => void) {
    this.#state = state;
    this.#clock = clock;
    this.#tell = tell;
    this.#dueMs = clock.monotonic();
    this.#wait();
  }

  /** The wave of one more page. */
  nextWave(): number {
    return Math.floor(this.#pages++ / WAVE_PAGES) % WAVES;
  }

  /** Recomputed once in a while, however many pages connect at once. */
  newest(): Fleet {
    const nowMs = this.#clock.monotonic();
    if (this.#made === undefined || this.#made.fleet.total === 0 || nowMs - this.#made.atMs > KEPT_MS) {
      const { devices, episodes } = this.#state;
      const isInAlarm = (device: string) => episodes.active(device) !== undefined;
      this.#made = { atMs: nowMs, fleet: fleetOf(devices, isInAlarm, this.#clock.now()) };
    }
    return this.#made.fleet;
  }

  /** A clock that stands still while the server does: a stall is no slowness of its pages, whose answers lie there unread. */
  listenedMs(): number {
    return this.#clock.monotonic() - this.#stalledMs;
  }

  close(): void {
    this.#timer();
  }

  #wait(): void {
    const nowMs = this.#clock.monotonic();
    // After a stall it continues from there: missed waves are not made up for.
    const onTimeMs = this.#dueMs + WAVE_MS;
    this.#dueMs = onTimeMs > nowMs ? onTimeMs : nowMs + WAVE_MS;
    this.#timer = this.#clock.setTimeout(() => {
      const lateMs = this.#clock.monotonic() - this.#dueMs;
      if (lateMs > WAVE_MS) this.#stalledMs += lateMs;
      const wave = this.#wave;
      this.#wave = (wave + 1) % WAVES;
      this.#tell(wave);
      this.#wait();
    }, this.#dueMs - nowMs);
  }
}
