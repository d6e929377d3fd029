/** What the server remembers of one connected page: what it watches, how it behaves, and whether it keeps up. */
import { TokenBucket } from "./bucket.ts";
import { Valve } from "./valve.ts";

/** Of messages. */
const LIMITS = { burst: 20, perSecond: 5 };
/** Malformed messages that are forgiven. */
const FORGIVEN = 5;

export class Visitor {
  /** The room of the device it watches. */
  room: string | undefined;
  /** How far back its chart goes, in milliseconds; null: the default length. */
  spanMs: number | null = null;
  /** It gets a new snapshot of what it watches once it keeps up. */
  isOwed = false;
  readonly valve = new Valve();
  /** When in each second it is told of all devices. */
  readonly wave: number;
  readonly #messages: TokenBucket;
  #malformed = 0;

  constructor(nowMs: number, wave: number) {
    this.wave = wave;
    this.#messages = new TokenBucket(LIMITS, nowMs);
  }

  /** Counts a message: to be taken, not to be taken, or one too many. */
  says(isGood: boolean, nowMs: number): "take" | "refuse" | "leave" {
    if (!this.#messages.take(nowMs)) return "leave";
    if (isGood) return "take";
    this.#malformed += 1;
    return this.#malformed > FORGIVEN ? "leave" : "refuse";
  }
}
