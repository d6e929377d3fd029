/** Which reading of the chart the viewer points at, by pointer or by arrow keys. */
import { nearestIndex } from "../line.ts";
import { type Columns, NO_READINGS } from "../series.ts";

/** A pointer stays where it is while the line moves on below it; the keys' cursor travels with its reading. */
type Aim = { readonly by: "pointer"; readonly x: number } | { readonly by: "keys"; readonly timeMs: number };

/** The horizontal scale of the chart as it was last drawn. */
export interface HorizontalScale {
  getValueForPixel(x: number): number | undefined;
  readonly left: number;
  readonly right: number;
  readonly min: number;
  readonly max: number;
}

export class Cursor {
  #aim: Aim | undefined;
  #readings: Columns = NO_READINGS;
  readonly #scale: () => HorizontalScale | undefined;
  readonly #onMove: () => void;

  constructor(surface: HTMLElement, scale: () => HorizontalScale | undefined, onMove: () => void) {
    this.#scale = scale;
    this.#onMove = onMove;
    surface.addEventListener("pointermove", (event) => {
      this.#aimAt({ by: "pointer", x: event.clientX - surface.getBoundingClientRect().left });
    });
    surface.addEventListener("pointerleave", () => this.#aimAt(undefined));
    surface.addEventListener("pointercancel", () => this.#aimAt(undefined));
    surface.addEventListener("blur", () => this.#aimAt(undefined));
    surface.addEventListener("keydown", (event) => {
      if (this.#key(event.key)) event.preventDefault();
    });
  }

  /** The index of the reading pointed at, in the readings now shown; -1 for none. */
  indexIn(readings: Columns): number {
    this.#readings = readings;
    const scale = this.#scale();
    const aim = this.#aim;
    if (aim === undefined || scale === undefined) return -1;
    if (aim.by === "keys") return nearestIndex(readings.timesMs, aim.timeMs);
    if (aim.x < scale.left || aim.x > scale.right) return -1;
    const timeMs = scale.getValueForPixel(aim.x);
    return timeMs === undefined ? -1 : nearestIndex(readings.timesMs, timeMs);
  }

  #key(key: string): boolean {
    const { timesMs } = this.#readings;
    const last = timesMs.length - 1;
    const at = this.#aim === undefined ? last + 1 : this.indexIn(this.#readings);
    switch (key) {
      case "ArrowLeft":
        return this.#aimAtReading(at - 1);
      case "ArrowRight":
        return this.#aimAtReading(at + 1);
      case "Home":
        return this.#aimAtReading(0);
      case "End":
        return this.#aimAtReading(last);
      case "Escape":
        this.#aimAt(undefined);
        return true;
      default:
        return false;
    }
  }

  #aimAtReading(index: number): boolean {
    const { timesMs } = this.#readings;
    const timeMs = timesMs[Math.max(0, Math.min(index, timesMs.length - 1))];
    if (timeMs !== undefined) this.#aimAt({ by: "keys", timeMs });
    return true;
  }

  #aimAt(aim: Aim | undefined): void {
    this.#aim = aim;
    this.#onMove();
  }
}
