/**
 * Records whose functions are called before it is their turn, so that several wait for the outside at once
 * (`applyAsync`). What they do stays gathered until their turn comes: nothing leaves out of order.
 */
import { messageOf } from "../errors.ts";
import type { Effects } from "./evaluate.ts";
import { Turn } from "./turn.ts";

/** A first try that is under way. */
export class Begun {
  readonly effects: Effects;
  readonly #turn = new Turn();
  readonly #done: void | Promise<void>;

  constructor(effects: Effects, evaluate: (effects: Effects, turn: Turn) => void | Promise<void>) {
    this.effects = effects;
    try {
      this.#done = evaluate(this.effects, this.#turn);
    } catch (error) {
      this.#done = Promise.reject(error);
    }
    this.#turn.isInOrder = false;
    // What went wrong is looked at when its turn has come, if it ever does.
    this.#done?.catch(messageOf);
  }

  /** Its turn has come. Rejects with what a user's function threw. */
  end(): void | Promise<void> {
    this.#turn.open();
    return this.#done;
  }
}
