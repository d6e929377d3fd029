/** What the server remembers of one connected page: what it watches, how it behaves, and whether it keeps up. */
import { Valve } from "./valve.ts";

/** So many messages may come at once, and so many a second after that. */
const BURST = 20;
const MESSAGES_PER_SECOND = 5;
/** Malformed messages that are forgiven. */
const FORGIVEN = 5;

export class Visitor {
  /** The room of the device it watches. */
  room: string | undefined;
  /** It is to have what it watches anew once it keeps up. */
  isOwed = false;
  readonly valve = new Valve();
  #messagesLeft = BURST;
  #countedMs: number;
  #malformed = 0;

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
}
