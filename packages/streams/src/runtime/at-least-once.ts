/** Outputs first, then the position: a commit names only records whose outputs Kafka has acknowledged. */
import { messageOf } from "../errors.ts";
import type { ConsumerSession } from "../io/consumer-session.ts";
import type { CommittedPosition } from "../io/transactional-producer.ts";
import type { Commits } from "./commits.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import type { Numbers } from "./numbers.ts";
import type { Outlet } from "./outlet.ts";
import type { Task } from "./task.ts";
import type { Positions, Tasks } from "./tasks.ts";

export interface AtLeastOnceOptions extends DeliveryOptions {
  readonly numbers: Numbers;
  readonly onCommitted: (positions: readonly CommittedPosition[]) => void;
}

export class AtLeastOnce implements Commits {
  readonly #options: AtLeastOnceOptions;
  readonly #delivery: Delivery;
  readonly #committing = new Map<object, Promise<void>>();

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

  async note(session: ConsumerSession, beginnings: readonly Positions[]): Promise<void> {
    const changes = beginnings.flatMap((each) => each.changes);
    for (const change of changes) this.#delivery.keep(change);
    if (changes.length > 0) await this.#delivery.delivered();
    await session.commit(beginnings.flatMap(({ offsets }) => offsets));
  }

  async commit(session: ConsumerSession, tasks: Tasks, isLast: boolean): Promise<void> {
    const moved = tasks.moved(isLast);
    const groups = [
      moved.filter(({ partition }) => !partition.isStateful),
      ...moved.filter(({ partition }) => partition.isStateful).map((task) => [task]),
    ];
    await Promise.all(groups.map((group) => this.#inTurn(session, tasks, group, isLast)));
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#delivery.close(deadlineMs);
  }

  /** One commit of the same tasks after another. */
  #inTurn(session: ConsumerSession, tasks: Tasks, group: readonly Task[], isLast: boolean): Promise<void> {
    const [first] = group;
    if (first === undefined) return Promise.resolve();
    // Those without state share one; a task with state has its own, which may have to wait for the record in work.
    const turn = first.partition.isStateful ? first : tasks;
    const before = this.#committing.get(turn);
    // One that waits for Kafka to come back says all that those after it would.
    if (before !== undefined && !isLast) return Promise.resolve();
    const committing = (before ?? Promise.resolve()).then(() => this.#commitNow(session, tasks, group));
    this.#committing.set(turn, committing);
    return committing.finally(() => {
      if (this.#committing.get(turn) === committing) this.#committing.delete(turn);
    });
  }

  /** Takes where each task stands, waits until Kafka has what it told so far, then commits. */
  async #commitNow(session: ConsumerSession, tasks: Tasks, group: readonly Task[]): Promise<void> {
    const { log, numbers, clock } = this.#options;
    const news = await Promise.all(group.map((task) => newsOf(task, tasks)));
    const startedMs = clock.monotonic();
    for (const { changes } of news) for (const change of changes) this.#delivery.keep(change);
    await this.#delivery.delivered();
    // What could not be delivered must not be skipped: its record is processed again by the next life.
    if (this.#delivery.refusal !== undefined) return;
    const positions = news.flatMap(({ offsets }) => offsets);
    if (positions.length === 0) return;
    try {
      // Of a session that has ended this is not taken.
      await session.commit(positions);
      this.#options.onCommitted(positions);
      for (const { noted } of news) noted();
      numbers.count("commits");
      numbers.gauge("commit_seconds", (clock.monotonic() - startedMs) / 1_000);
    } catch (error) {
      // The group moved on, or the broker is away: the next commit says it all.
      log.debug({ reason: messageOf(error) }, "a commit was refused");
    }
  }
}

/** What stores and windows hold is what the position says between two records alone; without them any moment is good. */
function newsOf(task: Task, tasks: Tasks): Positions | Promise<Positions> {
  return task.partition.isStateful ? task.cut(() => tasks.newsOf(task)) : tasks.newsOf(task);
}
