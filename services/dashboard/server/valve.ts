/** The valve for one page that takes too little: what it was sent and has not said to have, and what follows from it. */

/** After this long without an answer readings stop for a page. */
const SLOW_MS = 2_000;
/** So many characters may be on their way to it unanswered. */
const UNACKED_MAX = 256 * 1024;
/** A page that was sent much at once has this long to answer before it counts as slow. */
const ANSWER_MS = 900;
/** Beyond this not even alerts are added to what waits for it. */
const ALERTS_UNACKED_MAX = 2 * UNACKED_MAX;
/** After this long without an answer the page is disconnected. */
const GONE_MS = 30_000;

interface Beat {
  readonly token: number;
  readonly atMs: number;
  /** All that was sent up to it. */
  readonly sent: number;
}

/**
 * Once a second a page is sent a beat (the fleet summary), which it answers when it has taken in all that came before.
 * Times are of a clock that never steps.
 */
export class Valve {
  #sent = 0;
  /** What of it was answered. */
  #acked = 0;
  /** Those not answered yet, the oldest first; no more come while the valve is shut. */
  #beats: Beat[] = [];
  #isShut = false;
  #isMuted = false;

  /** Something is on its way to the page. */
  sends(characters: number): void {
    this.#sent += characters;
  }

  /** A beat is on its way, behind all that was sent before. */
  beats(token: number, nowMs: number): void {
    this.#beats.push({ token, atMs: nowMs, sent: this.#sent });
  }

  /** The page says that it has all up to a beat. True: it has caught up, and the flow may continue. */
  answers(token: number): boolean {
    const at = this.#beats.findLastIndex((beat) => beat.token === token);
    if (at === -1) return false;
    this.#acked = this.#beats[at]?.sent ?? this.#acked;
    this.#beats = this.#beats.slice(at + 1);
    if (!this.#isShut || this.#beats.length > 0) return false;
    this.#isShut = false;
    return true;
  }

  /** Sent, and not said to be there. */
  get unacked(): number {
    return this.#sent - this.#acked;
  }

  /** True: nothing large is to be sent to the page, not even what it asks for. */
  get isShut(): boolean {
    return this.#isShut || this.unacked > UNACKED_MAX;
  }

  /** True once: the page was too slow even for alerts, and has missed some. */
  takeMuted(): boolean {
    const wasMuted = this.#isMuted;
    this.#isMuted = false;
    return wasMuted;
  }

  /** Asked after each beat: "shut" and "mute" are said once, when readings and alerts are to stop. */
  judge(nowMs: number): "well" | "shut" | "mute" | "hang-up" {
    const [oldest] = this.#beats;
    if (oldest === undefined) return "well";
    const lateMs = nowMs - oldest.atMs;
    if (lateMs > GONE_MS) return "hang-up";
    if (!this.#isShut && (lateMs > SLOW_MS || (lateMs >= ANSWER_MS && this.unacked > UNACKED_MAX))) {
      this.#isShut = true;
      return "shut";
    }
    if (this.#isShut && !this.#isMuted && this.unacked > ALERTS_UNACKED_MAX) {
      this.#isMuted = true;
      return "mute";
    }
    return "well";
  }
}
