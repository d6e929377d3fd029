/** Everybody whom a fault holds up, by the broker's clock: answers, connections that are not read, new connections. */
import type { Clock, Timer } from "../time/clock.ts";

export interface HeldUp {
  /** Number of the rule that does it. */
  readonly rule: number;
  /** Null: of any broker. */
  readonly brokerId: number | null;
}

interface Wait extends HeldUp {
  /** A pause of acceptance: it outlives a stop of the broker. */
  readonly atTheDoor: boolean;
  readonly timer: Timer | null;
  readonly end: () => void;
}

export class Waits {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();
  /** Pauses of acceptance, and who waits at the door. */
  readonly #pauses = new Set<HeldUp>();
  readonly #atTheDoor = new Map<() => void, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  pause(of: HeldUp, ms: number): Promise<void> {
    return new Promise((resolve) => this.until(of, ms, resolve));
  }

  /** Calls `end` once: when the time is up or, at the latest, when the rule is removed. */
  until(of: HeldUp, ms: number | undefined, end: () => void, atTheDoor = false): void {
    const timer = ms === undefined ? null : this.#clock.setTimer(ms, () => this.#end(wait));
    const wait: Wait = { ...of, atTheDoor, timer, end };
    this.#waits.add(wait);
  }

  #end(wait: Wait): void {
    wait.timer?.cancel();
    if (this.#waits.delete(wait)) wait.end();
  }

  pauseAcceptance(rule: number, brokerId: number | null, ms: number | undefined): void {
    const pause = { rule, brokerId };
    this.#pauses.add(pause);
    const open = () => {
      this.#pauses.delete(pause);
      for (const [enter, of] of this.#atTheDoor) if (!this.#isPaused(of)) enter();
    };
    this.until(pause, ms, open, true);
  }

  #isPaused(brokerId: number): boolean {
    return [...this.#pauses].some((pause) => pause.brokerId === null || pause.brokerId === brokerId);
  }

  acceptance(brokerId: number): Promise<void> | null {
    if (!this.#isPaused(brokerId)) return null;
    return new Promise((resolve) => {
      const enter = () => {
        this.#atTheDoor.delete(enter);
        resolve();
      };
      this.#atTheDoor.set(enter, brokerId);
    });
  }

  /** Those selected continue at once. */
  endOf(isMeant: (wait: HeldUp) => boolean): void {
    for (const wait of [...this.#waits]) if (isMeant(wait)) this.#end(wait);
  }

  /** A broker stopped: whoever waits there never continues. Its door stays as it is. */
  brokerStopped(brokerId: number): void {
    this.#forget((wait) => wait.brokerId === brokerId && !wait.atTheDoor);
  }

  /** Nothing that waits continues, and no timer is left. */
  close(): void {
    this.#forget(() => true);
    this.#atTheDoor.clear();
  }

  #forget(isMeant: (wait: Wait) => boolean): void {
    for (const wait of [...this.#waits]) {
      if (!isMeant(wait)) continue;
      wait.timer?.cancel();
      this.#waits.delete(wait);
    }
  }
}
