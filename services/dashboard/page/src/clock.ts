/** What time it is for the server, seen from a page whose own clock may be wrong. */

/** How much an old sample loses per millisecond, so that a clock that drifts apart is followed: 1 ms in 10 s. */
const FORGET_PER_MS = 1e-4;

/**
 * Follows the server's clock by the times in its messages. A message is always late by its way through the
 * network, so the sample that lies furthest ahead is the one nearest the truth.
 */
export class ServerClock {
  #offsetMs: number | undefined;
  #sampledAtMs = 0;
  readonly #ownMs: () => number;

  /** `ownMs`: a clock of the page that never steps back. */
  constructor(ownMs: () => number) {
    this.#ownMs = ownMs;
  }

  /** Takes the server's time of sending from a message that has just come in. */
  sample(serverMs: number): void {
    const ownMs = this.#ownMs();
    const offsetMs = serverMs - ownMs;
    const before = this.#offsetMs;
    const faded = before === undefined ? -Infinity : before - (ownMs - this.#sampledAtMs) * FORGET_PER_MS;
    this.#offsetMs = Math.max(offsetMs, faded);
    this.#sampledAtMs = ownMs;
  }

  /** Forgets all samples: another server may have another clock. */
  reset(): void {
    this.#offsetMs = undefined;
  }

  /** The server's time; the page's own where no message has come yet. */
  nowMs(): number {
    return this.#ownMs() + (this.#offsetMs ?? 0);
  }
}
