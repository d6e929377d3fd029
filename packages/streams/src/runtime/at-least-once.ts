/** Outputs first, then the position: a commit names only records whose outputs Kafka has acknowledged. */
import { messageOf } from "../errors.ts";
import type { ConsumerSession } from "../io/consumer-session.ts";
import type { CommittedPosition } from "../io/transactional-producer.ts";
import type { Commits } from "./commits.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import type { Numbers } from "./numbers.ts";
import type { Outlet } from "./outlet.ts";
import type { Tasks } from "./tasks.ts";

export interface AtLeastOnceOptions extends DeliveryOptions {
  readonly numbers: Numbers;
  readonly onCommitted: (positions: readonly CommittedPosition[]) => void;
}

export class AtLeastOnce implements Commits {
  readonly #options: AtLeastOnceOptions;
  readonly #delivery: Delivery;
  #committing: Promise<void> = Promise.resolve();
  #isCommitting = false;

  constructor(options: AtLeastOnceOptions) {
    this.#options = options;
    this.#delivery = new Delivery(options);
  }

  get unreachable(): Commits["unreachable"] {
    return this.#delivery.unreachable;
  }

  get refusal(): Error | undefined {
    return this.#delivery.refusal;
  }

  keepOnly(): void {
    // All partitions share one producer.
  }

  /** Nobody can be kept from telling more. */
  acquire(): Promise<boolean> {
    return Promise.resolve(false);
  }

  outletOf(): Outlet {
    return this.#delivery;
  }

  note(session: ConsumerSession, positions: readonly CommittedPosition[]): Promise<void> {
    return session.commit(positions);
  }

  commit(session: ConsumerSession, tasks: Tasks, isLast: boolean): Promise<void> {
    // One that waits for Kafka to come back says all that those after it would.
    if (this.#isCommitting && !isLast) return Promise.resolve();
    this.#isCommitting = true;
    this.#committing = this.#committing
      .then(() => this.#commitNow(session, tasks, isLast))
      .finally(() => {
        this.#isCommitting = false;
      });
    return this.#committing;
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#delivery.close(deadlineMs);
  }

  /** Takes where each task stands, waits until Kafka has what it told so far, then commits. */
  async #commitNow(session: ConsumerSession, tasks: Tasks, isLast: boolean): Promise<void> {
    const { log, numbers, clock } = this.#options;
    const news = tasks.news(isLast);
    if (news.offsets.length === 0) return;
    const startedMs = clock.monotonic();
    await this.#delivery.delivered();
    // What could not be delivered must not be passed by: its record is worked on again by the next life.
    if (this.#delivery.refusal !== undefined) return;
    try {
      // Of a session that has ended this is not taken.
      const positions = news.offsets;
      await session.commit(positions);
      this.#options.onCommitted(positions);
      news.noted();
      numbers.count("commits");
      numbers.gauge("commit_seconds", (clock.monotonic() - startedMs) / 1_000);
    } catch (error) {
      // The group moved on, or the broker is away: the next commit says it all.
      log.debug({ reason: messageOf(error) }, "a commit was not taken");
    }
  }
}
