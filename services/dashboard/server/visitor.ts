/** What the server remembers of one connected page: how it behaves, and whether it keeps up. */

/** So many messages may come at once, and so many a second after that. */
const BURST = 20;
const MESSAGES_PER_SECOND = 5;
/** Malformed messages that are forgiven. */
const FORGIVEN = 5;
/** After this long without taking anything the flow of readings stops for a page. */
const SLOW_MS = 2_000;

export class Visitor {
  /** The room of the device it watches. */
  room: string | undefined;
  #messagesLeft = BURST;
  #countedMs: number;
  #malformed = 0;
  /** Since when it has been taking nothing. */
  #stuckMs: number | undefined;
  #hasTaken = false;
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

  /** The network has taken something that was sent to it. */
  took(): void {
    this.#hasTaken = true;
  }

  /**
   * Asked now and then. One that stays stuck is disconnected by the heartbeat, which it can't answer either.
   *
   * @param isWaiting something that was sent is not taken yet
   */
  keepsUp(isWaiting: boolean, nowMs: number): "ok" | "pause" | "resume" {
    const isMoving = !isWaiting || this.#hasTaken;
    this.#hasTaken = false;
    if (isMoving) {
      this.#stuckMs = undefined;
      if (!this.#isPaused) return "ok";
      this.#isPaused = false;
      return "resume";
    }
    this.#stuckMs ??= nowMs;
    if (this.#isPaused || nowMs - this.#stuckMs < SLOW_MS) return "ok";
    this.#isPaused = true;
    return "pause";
  }
}
