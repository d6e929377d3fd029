/** Decides when to draw: at most once a frame, a few times a second while nothing comes, never while hidden. */

/** A hidden page renews its title so often, where something came in. */
const TAB_EVERY_MS = 1_000;

export class Painter {
  /** How often it has drawn. */
  draws = 0;
  #asked = false;
  #drawnMs = -Infinity;
  #timer: ReturnType<typeof setInterval> | undefined;
  #tabDrawnMs = -Infinity;
  readonly #draw: () => void;
  readonly #drawTab: () => void;
  readonly #moveEveryMs: number;

  /**
   * @param drawTab draws what a browser shows of a page that is hidden: its title and icon
   * @param moveEveryMs how often time alone is reason enough to draw
   */
  constructor(draw: () => void, drawTab: () => void, moveEveryMs: number) {
    this.#draw = draw;
    this.#drawTab = drawTab;
    this.#moveEveryMs = moveEveryMs;
  }

  start(): void {
    document.addEventListener("visibilitychange", () => this.#follow());
    this.#follow();
  }

  /** Something changed: draw with the next frame. Hidden, all but the tab waits for the viewer's return. */
  ask(): void {
    if (document.hidden) this.#askTab();
    if (this.#asked || document.hidden) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#drawnMs = performance.now();
      this.draws++;
      this.#draw();
    });
  }

  #askTab(): void {
    const nowMs = performance.now();
    if (nowMs - this.#tabDrawnMs < TAB_EVERY_MS) return;
    this.#tabDrawnMs = nowMs;
    this.#drawTab();
  }

  #follow(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (document.hidden) return;
    // A frame asked for before hiding may never have come.
    this.#asked = false;
    this.ask();
    this.#timer = setInterval(() => {
      if (performance.now() - this.#drawnMs >= this.#moveEveryMs * 0.8) this.ask();
    }, this.#moveEveryMs);
  }
}
