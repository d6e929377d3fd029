/** What the server remembers of one connected page: how it behaves, and whether it keeps up. */

/** So many messages may come at once, and so many a second after that. */
const BURST = 20;
const MESSAGES_PER_SECOND = 5;
/** Malformed messages that are forgiven. */
const FORGIVEN = 5;
/** After this long without taking anything the flow of readings stops for a page. */
const SLOW_MS = 2_000;
/** And after this long it is disconnected. */
const GONE_MS = 30_000;

export class Visitor {
  /** The room of the device it watches. */
  room: string | undefined;
  #messagesLeft = BURST;
  #countedMs: number;
  #malformed = 0;
  /** Since when it has been taking nothing. */
  #stuckMs: number | undefined;
  #isPaused = false;

  constructor(nowMs: number) {
    this.#countedMs = nowMs;
  }

  /** Counts a message: to be taken, not to be taken, or one too many. */
  says(isGood: boolean, nowMs: number): "take" | "refuse" | "leave" {
    const earned = ((nowMs - this.#countedMs) / 1_000) * MESSAGES_PER_SECOND;
    this.#messagesLeft = Math.min(BURST, this.#messagesLeft + earned) - 1;
    this.#countedMs = nowMs;
    if (this.#messagesLeft < 0) return "leave";
    if (isGood) return "take";
    this.#malformed += 1;
    return this.#malformed > FORGIVEN ? "leave" : "refuse";
  }

  /** @param isWritable false while the network has not taken what was sent last */
  keepsUp(isWritable: boolean, nowMs: number): "ok" | "pause" | "resume" | "leave" {
    if (isWritable) {
      this.#stuckMs = undefined;
      if (!this.#isPaused) return "ok";
      this.#isPaused = false;
      return "resume";
    }
    this.#stuckMs ??= nowMs;
    if (nowMs - this.#stuckMs >= GONE_MS) return "leave";
    if (this.#isPaused || nowMs - this.#stuckMs < SLOW_MS) return "ok";
    this.#isPaused = true;
    return "pause";
  }
}
