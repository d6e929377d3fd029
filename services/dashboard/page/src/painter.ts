/** Decides when to draw: at most once a frame, a few times a second while nothing comes, never while hidden. */
export class Painter {
  /** How often it has drawn. */
  draws = 0;
  #asked = false;
  #drawnMs = -Infinity;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #draw: () => void;
  readonly #moveEveryMs: number;

  /** `moveEveryMs`: how often time alone is reason enough to draw. */
  constructor(draw: () => void, moveEveryMs: number) {
    this.#draw = draw;
    this.#moveEveryMs = moveEveryMs;
  }

  start(): void {
    document.addEventListener("visibilitychange", () => this.#follow());
    this.#follow();
  }

  /** Something changed: draw with the next frame. Hidden, it waits for the viewer's return. */
  ask(): void {
    if (this.#asked || document.hidden) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#drawnMs = performance.now();
      this.draws++;
      this.#draw();
    });
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
